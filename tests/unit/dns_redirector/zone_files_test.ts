import { assertEquals } from "@std/assert";
import { concat, utf8 } from "../../../lib/core/bytes.ts";
import { formatRdata } from "../../../lib/dns/rdata.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { readZoneFile } from "../../../roles/dns_redirector/zone_files.ts";

const HEAD = "$ORIGIN a.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

/** The text of the last record of a file. */
async function lastTxt(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const ctx = {
    files: { read: () => Promise.resolve(bytes) },
  } as unknown as RoleContext;
  const [zone] = await readZoneFile("a.zone", ctx);
  const { type, rdata } = zone!.records.at(-1)!;
  return formatRdata(type, rdata);
}

Deno.test("readZoneFile keeps the bytes of a text, be they UTF-8 or not", async () => {
  assertEquals(await lastTxt(utf8(`${HEAD}x TXT "é"\n`)), '"\\195\\169"');
  const latin1 = concat(
    utf8(`${HEAD}; caf`),
    new Uint8Array([0xe9]),
    utf8('\nx TXT "'),
    new Uint8Array([0xe9, 0x2c, 0xff]),
    utf8('"\n'),
  );
  assertEquals(await lastTxt(latin1), '"\\233,\\255"');
});
