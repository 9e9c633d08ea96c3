/**
 * The same master files, the same questions, rolecall beside NSD: same code, same flags, same sections.
 *
 * Meant to differ, and so not asked: ANY (RFC 8482: HINFO, NSD one set), several addresses of a name (a choice among
 * edges), zone transfer, other classes, aliases that lead to another zone (Knot DNS does not follow them), the address of
 * a delegation's server that only a wildcard has (NSD tells it), how far an endless alias is followed, and the addresses
 * that ours adds to NS, MX and SRV answers (left out of the comparison, as is the order of records).
 */
import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { RECORD_TYPES, typeName, typeNumber } from "../../../lib/dns/codes.ts";
import { decodeMessage, type DnsMessage } from "../../../lib/dns/message.ts";
import { displayName, parseName } from "../../../lib/dns/name.ts";
import { formatRdata } from "../../../lib/dns/rdata.ts";
import { encodeQuery } from "../../../lib/dns/stub_query.ts";
import { eventually } from "../../support/eventually.ts";
import {
  portOf,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { startKnot, startNsd } from "../../support/name_servers.ts";
import { freePort } from "../../support/tools.ts";

const QUESTIONS = 3000;
const AT_ONCE = 32;
const ZONE = `$ORIGIN diff.example.
$TTL 1h
@ SOA ns1 hostmaster 1 1d 2h 4w 30
@ NS ns1
@ NS ns.sub
ns1 A 192.0.2.1
ns1 A 192.0.2.2
ns1 AAAA 2001:db8::1
@ MX 10 mail
@ TXT "top"
@ CAA 0 issue "ca.example"
mail A 192.0.2.9
MiXed.Case A 192.0.2.10
a.b.c.ent TXT "deep"
*.wild A 192.0.2.8
*.wild TXT "any"
known.wild AAAA 2001:db8::7
below.known.wild TXT "x"
*.alias CNAME mail
chain1 CNAME chain2
chain2 CNAME chain3
chain3 CNAME mail
lost CNAME nowhere
under CNAME x.sub
towild CNAME q.wild
out CNAME www.elsewhere.example.
sub NS ns.sub
sub NS ns.other.example.
ns.sub A 192.0.2.53
deep.sub TXT "occluded"
bare NS ns1
sub DS 12345 8 2 0102030405060708091011121314151617181920212223242526272829303132
dn DNAME wild
dn2.ent DNAME dn
todn CNAME known.dn
outdn DNAME elsewhere.example.
a.a.a.rep A 192.0.2.12
torep CNAME a.a.a.a.rep
_http._tcp SRV 0 5 80 mail
ptr PTR mail
odd\\.dot.x TXT "dot"
\\001\\255 TXT "bytes"
t TYPE65280 \\# 3 a1b2c3
long TXT "${"x".repeat(250)}" "${"y".repeat(250)}"
`;
const NAMES = [
  ...new Set(
    ZONE.split("\n").slice(2).map((line) => line.split(" ")[0]!).filter((
      name,
    ) => name !== "@" && name !== ""),
  ),
  ...["", "nope", "b.c.ent", "c.ent", "ent", "wild", "x.wild", "y.x.wild"],
  ...["z.known.wild", "alias", "q.alias", "r.q.alias", "x.mail", "case"],
  ...["q.dn", "known.dn", "a.b.dn", "x.known.dn2.ent", "q.outdn", "*.dn"],
  ...["x.sub", "a.b.sub", "x.bare", "_tcp", "x._tcp", "x.chain1"],
].map((name) => name === "" ? "diff.example." : `${name}.diff.example.`);
const TYPES: readonly number[] = [
  ...[RECORD_TYPES.A, RECORD_TYPES.AAAA, RECORD_TYPES.NS, RECORD_TYPES.CNAME],
  ...[RECORD_TYPES.SOA, RECORD_TYPES.MX, RECORD_TYPES.TXT, RECORD_TYPES.SRV],
  ...[RECORD_TYPES.PTR, RECORD_TYPES.DS, RECORD_TYPES.CAA, 65280],
];

/** What is compared, as text. */
function shown(message: DnsMessage): string {
  const lines = (records: DnsMessage["answers"]) =>
    records.map(({ name, ttlSeconds, type, rdata }) =>
      `${displayName(name)} ${ttlSeconds} ${typeName(type)} ${
        formatRdata(type, rdata)
      }`.toLowerCase()
    ).sort().join("\n");
  return [
    `rcode ${message.rcode}, aa ${message.authoritative}, tc ${message.truncated}`,
    lines(message.answers),
    lines(message.authorities),
    message.answers.length === 0 ? lines(message.additionals) : "",
  ].join("\n--\n");
}

/** Asks all questions, many at once and again after a second without an answer. */
async function askAll(
  port: number,
  queries: readonly Uint8Array<ArrayBuffer>[],
): Promise<string[]> {
  const answers: string[] = [];
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  for (let from = 0; from < queries.length; from += AT_ONCE) {
    const waiting = new Set(queries.slice(from, from + AT_ONCE));
    const send = async () => {
      for (const query of waiting) {
        await socket.send(query, to).catch(() => {});
      }
    };
    await send();
    const again = setInterval(send, 1000);
    while (waiting.size > 0) {
      const received = await socket.receive().catch(() => undefined);
      if (received === undefined) continue; // NSD does not listen yet
      const [bytes] = received;
      const id = bytes[0]! << 8 | bytes[1]!;
      if (waiting.delete(queries[id]!)) {
        answers[id] = shown(decodeMessage(bytes));
      }
    }
    clearInterval(again);
  }
  socket.close();
  return answers;
}

/** A folder of its own, and where to listen. */
async function placeOf(name: string, path: string) {
  const folder = `${path}/${name}`;
  await Deno.mkdir(folder);
  return { folder, host: "127.0.0.1", port: freePort() };
}

/** Waits until a secondary has the zone. */
async function transferred(port: number): Promise<void> {
  const query = encodeQuery({
    id: 0,
    name: parseName("diff.example."),
    type: RECORD_TYPES.SOA,
  });
  await eventually(async () => {
    const [answer] = await askAll(port, [query]);
    return answer!.startsWith("rcode 0");
  }, { account: () => "no transfer" });
}

Deno.test("dns-redirector answers as NSD does, and as NSD and Knot DNS do that have the zone from it by AXFR, 3,000 questions", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const file = `${path}/diff.zone`;
  await Deno.writeTextFile(file, ZONE);
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...["--zone", file, "--allow-transfer", "127.0.0.0/8"],
  ]);
  const port = await portOf(server, "tcp");
  const nsd = await placeOf("nsd", path);
  await using _nsd = await startNsd({
    ...nsd,
    zone: ["name: diff.example", `zonefile: "${file}"`],
  });
  const secondNsd = await placeOf("second", path);
  await using _second = await startNsd({
    ...secondNsd,
    zone: [
      "name: diff.example",
      `zonefile: "${secondNsd.folder}/secondary.zone"`,
      `request-xfr: AXFR 127.0.0.1@${port} NOKEY`,
      "allow-notify: 127.0.0.1 NOKEY",
    ],
  });
  const knot = await placeOf("knot", path);
  await using _knot = await startKnot({
    ...knot,
    zone: [
      "domain: diff.example",
      `storage: "${knot.folder}"`,
      "master: ours",
    ],
  }, `127.0.0.1@${port}`);
  const rng = seededRng(20261126);
  const pick = <T>(of: readonly T[]) => of[Math.floor(rng() * of.length)]!;
  const questions: string[] = [];
  const queries = Array.from({ length: QUESTIONS }, (_, id) => {
    const name = pick(NAMES);
    const type = pick(TYPES);
    questions.push(`${name} ${typeName(type)}`);
    return encodeQuery({ id, name: parseName(name), type });
  });
  const answers = await askAll(port, queries);
  assertEquals(answers.length, QUESTIONS);
  await transferred(secondNsd.port);
  await transferred(knot.port);
  for (
    const [name, other] of Object.entries({ NSD: nsd, secondNsd, Knot: knot })
  ) {
    const theirs = await askAll(other.port, queries);
    const different = new Set(
      answers.flatMap((answer, id) =>
        answer === theirs[id]
          ? []
          : [`${questions[id]}\nours:\n${answer}\n${name}:\n${theirs[id]}\n`]
      ),
    );
    assert(
      different.size === 0,
      `${different.size}: ${[...different].slice(0, 10).join("\n")}`,
    );
  }
});

const LABELS = ["a", "b", "c", "*"];
const DATA: Readonly<Record<string, (target: string) => string>> = {
  A: () => "192.0.2.7",
  AAAA: () => "2001:db8::7",
  TXT: () => '"x"',
  CNAME: (target) => target,
  NS: (target) => target,
  MX: (target) => `1 ${target}`,
  DNAME: (target) => target,
  DS: () =>
    "2 8 2 0102030405060708091011121314151617181920212223242526272829303132",
};

/** Zones that nobody would write: few labels, so that wildcards, delegations, aliases and what is below them meet. */
function oddZones(rng: () => number) {
  const pick = <T>(of: readonly T[]) => of[Math.floor(rng() * of.length)]!;
  const name = () =>
    Array.from({ length: 1 + Math.floor(rng() * 4) }, () => pick(LABELS))
      .join(".");
  return Array.from({ length: 12 }, (_, zone) => {
    const sets = new Map<string, string[]>();
    for (let turn = 0; turn < 25; turn++) {
      const owner = name();
      const own = sets.get(owner) ?? [];
      const type = pick(Object.keys(DATA));
      if (type === "DNAME" && zone % 2 === 0) continue;
      const isFit = type === "DS" ? own.includes("NS") : type === "CNAME"
        // one that a wildcard leads back to itself is told once by ours, twice by NSD
        ? own.length === 0 && !owner.startsWith("*")
        : !/^(NS|DNAME)$/.test(type) ||
          !owner.startsWith("*") && !own.includes("NS") &&
            !own.includes("DNAME");
      if (!isFit || own.includes("CNAME") || own.includes(type)) continue;
      sets.set(owner, [...own, type]);
    }
    const renamed = [...sets].filter(([, types]) => types.includes("DNAME"));
    const lines = [...sets].flatMap(([owner, types]) =>
      // NSD takes no zone with anything below a DNAME
      renamed.some(([above]) => owner.endsWith(`.${above}`))
        ? []
        : types.map((type) => {
          // an endless renaming is followed once by ours, and as far as there is room by NSD: each leads out of its zone
          const leaves = type === "DNAME" || rng() < 0.1;
          const elsewhere = leaves ? `.z${(zone + 1) % 12}.example.` : "";
          return `${owner} ${type} ${DATA[type]!(name() + elsewhere)}`;
        })
    );
    const origin = `z${zone}.example`;
    const asked = [...sets.keys()].flatMap((owner) => [
      ...[owner, `q.${owner}`, `q.r.${owner}`],
      owner.replaceAll("*", "star"),
      owner.slice(owner.indexOf(".") + 1),
    ]);
    return {
      origin,
      text: [
        `$ORIGIN ${origin}.`,
        ...["$TTL 300", "@ SOA ns h 1 2 3 4 77", "@ NS ns", "ns A 192.0.2.1"],
        ...lines,
        "",
      ].join("\n"),
      names: [...asked, "@", name(), name()].map((each) =>
        each === "@" ? `${origin}.` : `${each}.${origin}.`
      ),
    };
  });
}

Deno.test("dns-redirector answers as NSD does for twelve odd zones, 4,000 questions", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const rng = seededRng(20261128);
  const zones = oddZones(rng);
  for (const { origin, text } of zones) {
    await Deno.writeTextFile(`${path}/${origin}.zone`, text);
  }
  const files = zones.map(({ origin }) => `${path}/${origin}.zone`);
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...files.flatMap((file) => ["--zone", file]),
  ]);
  const { port } = await server.until("role.listening");
  const nsd = await placeOf("nsd", path);
  await using _nsd = await startNsd({
    ...nsd,
    zone: zones.flatMap(({ origin }, at) => [
      ...(at === 0 ? [] : ["zone:"]),
      ...[`name: ${origin}`, `zonefile: "${files[at]}"`],
    ]),
  });
  const names = zones.flatMap((zone) => zone.names);
  const types = [...Object.keys(DATA), "SOA"].map((type) => typeNumber(type)!);
  const questions: string[] = [];
  const queries = Array.from({ length: 4000 }, (_, id) => {
    const name = names[Math.floor(rng() * names.length)]!;
    const type = types[Math.floor(rng() * types.length)]!;
    questions.push(`${name} ${typeName(type)}`);
    return encodeQuery({ id, name: parseName(name), type });
  });
  const [ours, theirs] = [
    await askAll(port, queries),
    await askAll(nsd.port, queries),
  ];
  const different = new Set(
    ours.flatMap((answer, id) =>
      answer === theirs[id]
        ? []
        : [`${questions[id]}\nours:\n${answer}\nNSD:\n${theirs[id]}\n`]
    ),
  );
  assert(
    different.size === 0,
    `${different.size}: ${[...different].slice(0, 10).join("\n")}`,
  );
});
