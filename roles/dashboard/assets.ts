/** The page and its script: one module without imports of its own. */
import page from "./page.html" with { type: "text" };
import script from "./page.js" with { type: "text" };

export { page, script };
