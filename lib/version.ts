/** rolecall's version; deno.json says the same (a test checks it). */
export const VERSION = "0.1.0";
