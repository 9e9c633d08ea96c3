// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures what an answer costs inside the redirector: from the bytes of a query to the bytes of its answer, no sockets.
 *
 *     deno run -A bench/dns_answer.ts
 *
 * Geographic choice among 8 sites by 4,096 /24 networks, as bench/ of the other name servers has it. For each kind of
 * query, medians of ROUNDS (9) rounds of 200,000 in turns, in microseconds. About 20 s.
 */
import { parseAddress, parseCidr } from "../lib/core/address.ts";
import { seededRng } from "../lib/core/rng.ts";
import { Responder } from "../lib/dns/authority/responder.ts";
import { ServerCookies } from "../lib/dns/authority/server_cookies.ts";
import { parseZoneJson } from "../lib/dns/authority/zone_json.ts";
import { ZoneTable } from "../lib/dns/authority/zone_table.ts";
import { RECORD_TYPES } from "../lib/dns/codes.ts";
import { parseName } from "../lib/dns/name.ts";
import { encodeQuery } from "../lib/dns/stub_query.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 9);
const QUERIES = 200_000;
const NETWORKS = 4096;
const SITES = 8;

function network(index: number): string {
  return `10.${index >> 8}.${index & 255}.0/24`;
}

const sites = Object.fromEntries(
  Array.from({ length: SITES }, (_, site) => [`site${site}`, {
    subnets: Array.from(
      { length: NETWORKS / SITES },
      (_, index) => network(index * SITES + site),
    ),
    edges: [`edge${site}`],
  }]),
);
const edges = Object.fromEntries(
  Array.from({ length: SITES }, (_, site) => [`edge${site}`, {
    addresses: [`192.0.2.${site + 1}`],
  }]),
);
const table = new ZoneTable(parseZoneJson(JSON.stringify({
  zone: "cdn.test",
  records: [
    "www A 192.0.2.80",
    "alias CNAME video",
    ...Array.from({ length: 1000 }, (_, index) => `n${index} A 192.0.2.80`),
  ],
  edges,
  sites,
  redirects: { video: { policy: "geo", edges: Object.keys(edges) } },
})));
const responder = new Responder(table, {
  rng: seededRng(1),
  clock: { nowMs: () => 0, wallMs: () => 1_767_225_600_000 },
  cookies: new ServerCookies(new Uint8Array(16)),
});

function queries(name: string, subnets: boolean): Uint8Array[] {
  return Array.from({ length: NETWORKS }, (_, index) =>
    encodeQuery({
      id: index,
      name: parseName(name),
      type: RECORD_TYPES.A,
      ...(subnets ? { clientSubnet: parseCidr(network(index)) } : {}),
    }));
}

const KINDS: readonly { readonly name: string; readonly of: Uint8Array[] }[] = [
  { name: "static A", of: queries("www.cdn.test", false) },
  { name: "geo, by source address", of: queries("video.cdn.test", false) },
  { name: "geo, by client subnet", of: queries("video.cdn.test", true) },
  { name: "alias to geo, by subnet", of: queries("alias.cdn.test", true) },
  { name: "NXDOMAIN", of: queries("nothing.cdn.test", false) },
  { name: "NXDOMAIN, 4 labels down", of: queries("a.b.c.d.cdn.test", false) },
  { name: "REFUSED", of: queries("www.elsewhere.test", false) },
];
const asker = { address: parseAddress("10.1.2.3"), transport: "udp" } as const;
const times = KINDS.map((): number[] => []);
let bytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const [kind, { of }] of KINDS.entries()) {
    const startedAt = performance.now();
    for (let turn = 0; turn < QUERIES; turn++) {
      bytes += responder.respond(of[turn & (NETWORKS - 1)]!, asker)!.bytes
        .length;
    }
    times[kind]!.push(1000 * (performance.now() - startedAt) / QUERIES);
  }
}
console.log(`Deno ${Deno.version.deno}, ${bytes} bytes of answers`);
for (const [kind, { name }] of KINDS.entries()) {
  const sorted = times[kind]!.sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  console.log(
    `${name.padEnd(26)} ${median.toFixed(2)} µs (best ${
      sorted[0]!.toFixed(2)
    })`,
  );
}
