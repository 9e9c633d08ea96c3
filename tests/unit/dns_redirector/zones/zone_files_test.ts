import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat, utf8 } from "../../../../lib/core/bytes.ts";
import { InputError } from "../../../../lib/core/errors.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { formatRdata } from "../../../../lib/dns/rdata.ts";
import { readZoneFile } from "../../../../roles/dns_redirector/zones/zone_files.ts";
import {
  loadZones,
  type ZoneFlagValues,
} from "../../../../roles/dns_redirector/zones/zone_flags.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";

const HEAD = "$ORIGIN a.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

/** What reads these bytes as any file, by a clock that goes on by 1 ms whenever somebody looks at it; and how often there was a rest. */
function reading(bytes: Uint8Array<ArrayBuffer>) {
  let nowMs = 0;
  const rests: number[] = [];
  const clock = new ManualClock();
  clock.nowMs = () => nowMs++;
  clock.sleepUntil = (atMs) => {
    rests.push(atMs);
    nowMs = Math.max(nowMs, atMs);
    return Promise.resolve();
  };
  const ctx = roleContext({
    clock,
    files: { read: () => Promise.resolve(bytes) },
  });
  return { ctx, rests };
}

/** The text of the last record of a file. */
async function lastTxt(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const [zone] = await readZoneFile("a.zone", reading(bytes).ctx);
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

Deno.test("readZoneFile says which line a file without $ORIGIN lacks", async () => {
  const { ctx } = reading(utf8("@ IN SOA ns h 1 2 3 4 5\n"));
  await assertRejects(
    () => readZoneFile("a.zone", ctx),
    InputError,
    '--zone a.zone: line 1: must be a name with a dot at its end, as there is no $ORIGIN before it (a line such as "$ORIGIN kingcdn.example."), got "@"',
  );
});

Deno.test("loadZones rests while it reads a large file and makes its table, so that queries are answered meanwhile", async () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, index) => `h${index} A 10.0.${index >> 8 & 255}.${index & 255}\n`,
  );
  const whole = reading(utf8(HEAD + lines.join("")));
  await readZoneFile("a.zone", whole.ctx);
  // 256 lines a step, 5 steps by this clock from one rest to the next
  const whileReading = whole.rests.length;
  assert(whileReading >= 12, String(whileReading));
  const flags = {
    ...{ host: "", zone: ["a.zone"], domain: [], edge: [], site: [] },
    ...{ cname: [], policy: undefined, ttl: undefined },
  } as unknown as ZoneFlagValues;
  const table = await loadZones(flags, whole.ctx);
  assert(table.find(parseName("h19999.a.example"))?.node !== undefined);
  const whileBuilding = whole.rests.length - 2 * whileReading;
  assert(whileBuilding >= 36, String(whileBuilding));
});
