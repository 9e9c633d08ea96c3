import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { ZoneFileError } from "../../../../lib/dns/authority/master_lines.ts";
import { formatRdata } from "../../../../lib/dns/rdata.ts";

const TOP = "$ORIGIN z.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

Deno.test("parseMasterFile takes no longer for a quote that is never closed, whatever is escaped in it", () => {
  // Any file that is no text: each byte beyond ASCII is such an escape. Tried in all ways, these would be 2^5000.
  const error = assertThrows(
    () => parseMasterFile(`${TOP}x TXT "${"\\233".repeat(5000)}\n`),
    ZoneFileError,
  );
  assertMatch(error.message, /line 5: a quote/);
  const [zone] = parseMasterFile(`${TOP}x TXT \\233\\"a "\\1234\\"b"`);
  assertEquals(
    formatRdata(16, zone!.records.at(-1)!.rdata),
    '"\\233\\"a" "{4\\"b"',
  );
});
