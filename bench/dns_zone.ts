// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures how long a large master file takes to be served, and what its records cost in memory.
 *
 *     deno run -A --v8-flags=--expose-gc bench/dns_zone.ts [NAMES]
 *
 * 100,000 names unless told otherwise, each with an address; medians of 5. About 15 s.
 */
import { parseMasterFile } from "../lib/dns/authority/master_file.ts";
import { ZoneTable } from "../lib/dns/authority/zone_table.ts";

const NAMES = Number(Deno.args[0] ?? 100_000);
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) {
  console.error("run it with --v8-flags=--expose-gc");
  Deno.exit(2);
}

const text =
  "$ORIGIN cdn.test.\n$TTL 300\n@ SOA ns1 hostmaster 1 1d 2h 4w 30\n" +
  "@ NS ns1\nns1 A 192.0.2.1\n" +
  Array.from(
    { length: NAMES },
    (_, index) =>
      `host-${index}.rack${index % 97} IN A 10.${index >> 16}.${
        index >> 8 & 255
      }.${index & 255}\n`,
  ).join("");

function usedBytes(): number {
  // buffers that the first one finds free are counted until the next
  collect!();
  collect!();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

const seconds: number[] = [];
const parseSeconds: number[] = [];
const bytes: number[] = [];
for (let round = 0; round < 5; round++) {
  const before = usedBytes();
  const startedAt = performance.now();
  const data = parseMasterFile(text);
  const parsedAt = performance.now();
  const table: ZoneTable[] = [new ZoneTable(data)];
  seconds.push((performance.now() - startedAt) / 1000);
  parseSeconds.push((parsedAt - startedAt) / 1000);
  data.length = 0;
  bytes.push((usedBytes() - before) / NAMES);
  if (table[0]!.nodes.length < NAMES) throw new Error("names are missing");
  table.length = 0;
}
const median = (values: number[]) => values.sort((a, b) => a - b)[2]!;
console.log(
  `Deno ${Deno.version.deno}, ${NAMES} names: ${
    median(seconds).toFixed(2)
  } s (of which ${median(parseSeconds).toFixed(2)} s reading the text), ${
    Math.round(median(bytes))
  } bytes a record`,
);
