// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Throws a million damaged and random messages at the redirector's responder, and checks every answer.
 *
 *     deno run -A bench/dns_fuzz.ts [COUNT] [SEED]
 *
 * tests/unit/dns/authority/responder_fuzz_test.ts does the same with 20,000.
 */
import {
  responderFor,
  SITE_ZONE,
  ZONE,
} from "../tests/unit/dns/authority/ask.ts";
import { fuzz } from "../tests/support/dns_fuzz.ts";

const count = Number(Deno.args[0] ?? 1_000_000);
const seed = Number(Deno.args[1] ?? 1);
const startedAt = performance.now();
fuzz(responderFor([ZONE, SITE_ZONE]), { count, seed });
const seconds = (performance.now() - startedAt) / 1000;
console.log(
  `${count} messages in ${seconds.toFixed(1)} s: all answers are good`,
);
