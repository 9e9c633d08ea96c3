import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { ZoneFileError } from "../../../../lib/dns/authority/master_lines.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import {
  parseAliasFlag,
  parseDomainFlag,
  parseEdgeFlag,
  parseSiteFlag,
  zonesOfFlags,
} from "../../../../lib/dns/authority/zone_flags.ts";
import { parseZoneJson } from "../../../../lib/dns/authority/zone_json.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import {
  displayName,
  formatName,
  parseName,
} from "../../../../lib/dns/name.ts";
import { formatRdata } from "../../../../lib/dns/rdata.ts";
import { ask, lines, SITE_ZONE, ZONE } from "./ask.ts";

const TOP = "$ORIGIN z.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

function testdata(name: string): string {
  return Deno.readTextFileSync(
    new URL(`../../../testdata/dns/${name}`, import.meta.url),
  );
}

Deno.test("parseMasterFile reads owners, TTLs, classes, comments and parentheses", () => {
  const [zone] = parseMasterFile(
    "$TTL 2m ; two minutes\r\n$ORIGIN z.example.\r\n" +
      "@ SOA ns h (1 ; serial (\n 2 3\n 4 5)\n\n  ; nothing here\n" +
      "\tNS ns\nns IN 5 A 127.0.0.1\n  7 IN AAAA ::1\n" +
      'x TXT (a\n"b ;) c")\n$ORIGIN deep\na.b A 127.0.0.2\n@ A 127.0.0.3\nlast A 127.0.0.4',
  );
  assertEquals(
    zone?.records.map(({ name, ttlSeconds, type, rdata }) =>
      `${displayName(name)} ${ttlSeconds} ${formatRdata(type, rdata)}`
    ),
    [
      "z.example 120 ns.z.example. h.z.example. 1 2 3 4 5",
      "z.example 120 ns.z.example.",
      "ns.z.example 5 127.0.0.1",
      "ns.z.example 7 ::1",
      'x.z.example 120 "a" "b ;) c"',
      "a.b.deep.z.example 120 127.0.0.2",
      "deep.z.example 120 127.0.0.3",
      "last.deep.z.example 120 127.0.0.4",
    ],
  );
});

Deno.test("parseMasterFile takes the TTL of the SOA's last field, and then the last one given", () => {
  const [zone] = parseMasterFile(
    "z.example. SOA ns h 1 2 3 4 77\n@ NS ns\nns 5 A 127.0.0.1\nns AAAA ::1\n",
  );
  assertEquals(zone?.records.map((record) => record.ttlSeconds), [
    77,
    77,
    5,
    5,
  ]);
});

Deno.test("parseMasterFile reads several zones from one file", () => {
  assertEquals(
    parseMasterFile(ZONE + SITE_ZONE).map((zone) => formatName(zone.origin)),
    ["kingcdn.example.", "netcinema.example."],
  );
});

Deno.test("parseMasterFile puts what it includes in its place; origin and owner are afterwards what they were", () => {
  const files: Readonly<Record<string, string>> = {
    "/zones/hosts": "www A 127.0.0.1\n$ORIGIN deep\nx CLASS1 A 127.0.0.2\n",
    "/zones/more": "$INCLUDE hosts sub\n A 127.0.0.3\n",
    "/zones/loop": "$INCLUDE loop\n",
  };
  const read = (text: string) =>
    parseMasterFile(text, {
      path: "/zones/top",
      included: (name, by) => {
        const path = `${by.slice(0, by.lastIndexOf("/"))}/${name}`;
        const found = files[path];
        return found === undefined ? undefined : { path, text: found };
      },
    });
  const [zone] = read(
    `${TOP}own A 127.0.0.9\n$INCLUDE more ; a remark\n A 127.0.0.8\nb A 127.0.0.7\n`,
  );
  const origin = formatName(zone!.origin);
  assertEquals(
    zone!.records.slice(-6).map(({ name, rdata, line }) =>
      `${formatName(name).replace(origin, "")} ${rdata.at(-1)} ${line}`
    ),
    [
      "own. 9 5",
      "www.sub. 1 6",
      "x.deep.sub. 2 6",
      "own. 3 6",
      "own. 8 7",
      "b. 7 8",
    ],
  );
  for (
    const [text, said] of [
      ["$INCLUDE loop", /^line 5: loop, line 1: .*may include each other 8/],
      ["$INCLUDE gone", /^line 5: there is no file gone$/],
      ["$INCLUDE", /^line 5: \$INCLUDE takes a file/],
    ] as const
  ) {
    const error = assertThrows(() => read(TOP + text), SyntaxError);
    assertMatch(error.message, said);
  }
});

Deno.test("parseMasterFile takes names of a file without $ORIGIN as relative to its zone, and the SOA that ends a transfer for no second one", () => {
  const [zone, ...others] = parseMasterFile(
    "z.example. 5 SOA ns h 1 2 3 4 77\n  NS ns\nz.example. 5 SOA ns h 1 2 3 4 77\n",
  );
  assertEquals(others, []);
  assertEquals(
    zone!.records.map(({ type, rdata }) => formatRdata(type, rdata)),
    ["ns.z.example. h.z.example. 1 2 3 4 77", "ns.z.example."],
  );
});

Deno.test("parseMasterFile refuses what is no zone, with the line", () => {
  for (
    const [text, line] of [
      ["", undefined],
      ["$TTL 60\n", undefined],
      ["@ SOA ns h 1 2 3 4 5", 1],
      [`${TOP}x A`, 5],
      [`${TOP}x A 127.0.0.1 2`, 5],
      [`${TOP}x 60 60 A 127.0.0.1`, 5],
      [`${TOP}x CH TXT a`, 5],
      [`${TOP}x B 127.0.0.1`, 5],
      [`${TOP}x OPT 1`, 5],
      [`${TOP}x ANY 1`, 5],
      [`${TOP}x TYPE0 \\# 0`, 5],
      [`${TOP}x TYPE250 \\# 0`, 5],
      [`${TOP}@ SOA ns h 2 2 3 4 5`, 5],
      [`${TOP}x.other. A 127.0.0.1`, 5],
      [`${TOP}x A (127.0.0.1\n\n`, 5],
      [`${TOP}\nx A 127.0.0.1)`, 6],
      [`${TOP}x TXT "a\n"`, 5],
      [`${TOP}$INCLUDE other`, 5],
      [`${TOP}$GENERATE 1-9 a A 127.0.0.$`, 5],
      [`${TOP}$TTL`, 5],
      [`${TOP}$TTL 1y`, 5],
      [`${TOP}a..b A 127.0.0.1`, 5],
      [`$ORIGIN z.example.\nx 5 A 127.0.0.1\n${TOP}`, 2],
      [" A 127.0.0.1", 1],
    ] as const
  ) {
    const error = assertThrows(() => parseMasterFile(text), SyntaxError);
    const said = error instanceof ZoneFileError ? error.line : undefined;
    assertEquals([text, said], [text, line]);
  }
});

Deno.test("parseMasterFile says what it does not know, and how it can be written", () => {
  for (
    const [line, said] of [
      ["$GENERATE 1-9 a$ A 127.0.0.$", /not supported\), got \$GENERATE$/],
      ["x NXT y", /TYPE666 \\# LENGTH HEX, got "NXT"$/],
      ["x HTTPS y", /\\# with a length and bytes .* for type HTTPS/],
      ["@ SOA ns h 2 2 3 4 5", /^line 5: the zone .* has a second SOA$/],
      ["x A", /^line 5: A takes 1 word of data, got 0$/],
    ] as const
  ) {
    const error = assertThrows(() => parseMasterFile(TOP + line), SyntaxError);
    assertMatch(error.message, said);
  }
  const [zone] = parseMasterFile(`${TOP}x DNAME \\# 3 016100`);
  assertEquals(zone?.records.at(-1)?.type, 39);
});

Deno.test("parseMasterFile throws nothing but SyntaxError", () => {
  const pieces = [...ZONE, "\\", '"', "(", ")", "$", "@", "é", "\0", "999"];
  let state = 99;
  const next = () =>
    (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 8;
  for (let turn = 0; turn < 400; turn++) {
    const text = [...ZONE];
    for (let change = 1 + next() % 4; change > 0; change--) {
      text[next() % text.length] = pieces[next() % pieces.length] ?? "";
    }
    try {
      new ZoneTable(parseMasterFile(text.join("")));
    } catch (error) {
      assert(error instanceof SyntaxError, String(error));
    }
  }
});

Deno.test("ZoneTable refuses zones that cannot be served", () => {
  new ZoneTable(parseMasterFile(TOP));
  for (
    const texts of [
      [TOP.replace("@ NS ns\n", "")],
      [TOP, TOP],
      [`${TOP}@ SOA ns h 1 2 3 4 6\n`],
      [`${TOP}@ CNAME x\n`],
      [`${TOP}x CNAME a\nx CNAME b\n`],
      [`${TOP}x CNAME a\nx A 127.0.0.1\n`],
      [`${TOP}x CNAME a\nx A 127.0.0.1\nx A 127.0.0.2\n`],
    ]
  ) {
    assertThrows(
      () => new ZoneTable(texts.flatMap((text) => parseMasterFile(text))),
      SyntaxError,
    );
  }
});

Deno.test("ZoneTable gives one set one TTL, and holds no record twice", () => {
  const responder = new Responder(
    new ZoneTable(
      parseMasterFile(`${TOP}x 9 TXT a\nx 5 TXT b\nX 7 TXT a\n`),
    ),
    { rng: seededRng(1) },
  );
  assertEquals(lines(ask(responder, "x.z.example TXT").message.answers), [
    'x.z.example. 5 TXT "a"',
    'x.z.example. 5 TXT "b"',
  ]);
});

Deno.test("parseZoneJson reads edges, sites and redirects", () => {
  const table = new ZoneTable(parseZoneJson(testdata("kingcdn.json")));
  const responder = new Responder(table, { rng: seededRng(4) });
  const islands = ask(responder, "video.netcinema.example", {
    from: "127.2.0.9",
  });
  assertEquals(lines(islands.message.answers), [
    "video.netcinema.example. 300 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 20 A 127.0.0.4",
  ]);
  assertEquals(islands.reply.choice?.edge.name, "crete");
  // crete has no IPv6 address
  const six = ask(responder, "video.kingcdn.example AAAA", {
    from: "127.2.0.9",
  });
  assertEquals(six.reply.choice?.edge.host, "fd00::3");
  assertEquals(
    ask(responder, "lot.kingcdn.example").message.answers[0]?.ttlSeconds,
    0,
  );
  assertEquals(
    lines(ask(responder, "nowhere.kingcdn.example").message.authorities),
    [
      "kingcdn.example. 30 SOA ns1.kingcdn.example. hostmaster.kingcdn.example. 1 86400 7200 3600000 30",
    ],
  );
});

Deno.test("the master file of the test data is a zone that can be served", () => {
  const table = new ZoneTable(parseMasterFile(testdata("kingcdn.zone")));
  assertEquals(table.redirects().length, 1);
  assertEquals([...table.edges()], [
    "127.0.0.3",
    "127.0.0.4",
    "fd00::3",
    "fd00::4",
  ]);
});

Deno.test("parseZoneJson and ZoneTable refuse what is wrong in it", () => {
  const zone = (more: object) => JSON.stringify({ zone: "z.example", ...more });
  const edges = { a: { addresses: ["127.0.0.3"] } };
  for (
    const text of [
      "{",
      "[]",
      "{}",
      '{ "zones": [] }',
      zone({ ttl: 5 }),
      zone({ zone: 5 }),
      zone({ zone: "a..b" }),
      zone({ ttlSeconds: -1 }),
      zone({ ttlSeconds: "20s" }),
      zone({ records: ["x A 1"] }),
      zone({ records: "x A 127.0.0.1" }),
      zone({ edges: { a: { addresses: ["x"] } } }),
      zone({ edges: { a: { addresses: ["127.0.0.3"], weight: -1 } } }),
      zone({ edges: { a: {} } }),
      zone({ edges: { a: { addresses: [] } } }),
      zone({ nameServers: [] }),
      zone({ serial: 2 ** 32 }),
      zone({ edges, redirects: { x: { edges: [] } } }),
      zone({ edges, redirects: { x: { edges: ["a"] }, X: { edges: ["a"] } } }),
      zone({
        edges,
        sites: { s: { subnets: ["127.1.0.1/16"], edges: ["a"] } },
      }),
      zone({
        edges,
        sites: { s: { subnets: ["127.1.0.0/16"], edges: ["b"] } },
      }),
      zone({ edges, redirects: { x: { policy: "luck", edges: ["a"] } } }),
      zone({ edges, redirects: { x: { edges: ["b"] } } }),
      zone({ edges, redirects: { "x.other.": { edges: ["a"] } } }),
      zone({
        edges,
        redirects: { x: { edges: ["a"] } },
        records: ["x A 127.0.0.1"],
      }),
    ]
  ) {
    assertThrows(() => new ZoneTable(parseZoneJson(text)), SyntaxError);
  }
  const twice = { subnets: ["127.1.0.0/16", "127.1.0.0/16"], edges: ["a"] };
  assertThrows(
    () =>
      new ZoneTable(
        parseZoneJson(
          zone({ edges, sites: { twice }, redirects: { x: { edges: ["a"] } } }),
        ),
      ),
    RangeError,
  );
});

Deno.test("zonesOfFlags makes the slides' two zones", () => {
  const data = zonesOfFlags({
    domains: ["video.kingcdn.example", "kingcdn.example"].map(parseDomainFlag),
    aliases: [parseAliasFlag("video.netcinema.example=video.kingcdn.example")],
    edges: ["127.0.0.3,weight=2", "fd00::4"].map(parseEdgeFlag),
    serverAddress: "127.0.0.53",
  });
  assertEquals(data.map((zone) => displayName(zone.origin)), [
    "kingcdn.example",
    "netcinema.example",
  ]);
  const responder = new Responder(new ZoneTable(data), { rng: seededRng(2) });
  const answers = (question: string) =>
    lines(ask(responder, question).message.answers);
  assertEquals(answers("video.netcinema.example"), [
    "video.netcinema.example. 300 CNAME video.kingcdn.example.",
    "video.kingcdn.example. 20 A 127.0.0.3",
  ]);
  assertEquals(answers("kingcdn.example AAAA"), [
    "kingcdn.example. 20 AAAA fd00::4",
  ]);
  assertEquals(answers("ns1.netcinema.example"), [
    "ns1.netcinema.example. 300 A 127.0.0.53",
  ]);
});

Deno.test("parseZoneJson says once where a value is wrong", () => {
  const [big] = parseZoneJson('{ "zone": "z.example", "serial": 4294967295 }');
  assertEquals(new ZoneTable([big!]).zones[0]!.serial, 0xffffffff);
  const error = assertThrows(() => parseZoneJson('{ "zone": 5 }'), SyntaxError);
  assertEquals(error.message, "the file.zone must be a text");
});

Deno.test("zonesOfFlags has no alias at the top of a zone, and says what to take", () => {
  const error = assertThrows(
    () =>
      zonesOfFlags({
        domains: [],
        aliases: [parseAliasFlag("netcinema.example=video.kingcdn.example")],
        edges: [],
      }),
    SyntaxError,
  );
  assertMatch(error.message, /such as www\.netcinema\.example$/);
});

Deno.test("the flags' texts are read or refused", () => {
  assertEquals(parseEdgeFlag("127.0.0.3").weight, 1);
  assertEquals(parseEdgeFlag("127.0.0.3,weight=2.5").weight, 2.5);
  assertEquals(parseSiteFlag("127.1.0.0/16=127.0.0.3,athens").edges, [
    "127.0.0.3",
    "athens",
  ]);
  assertEquals(parseSiteFlag("::/0=FD00::3").edges, ["fd00::3"]);
  assertEquals(parseDomainFlag("a.b"), parseName("a.b."));
  for (
    const parse of [
      () => parseEdgeFlag("edge1"),
      () => parseEdgeFlag("127.0.0.3,weight=-1"),
      () => parseEdgeFlag("127.0.0.3,2"),
      () => parseSiteFlag("127.1.0.0/16"),
      () => parseSiteFlag("127.1.0.0/16="),
      () => parseSiteFlag("127.1.0.5/16=127.0.0.3"),
      () => parseSiteFlag("127.1.0.0/16=127.0.0.333"),
      () => parseAliasFlag("a.b"),
      () => parseAliasFlag("a.b=c=d"),
      () => parseAliasFlag("=c"),
      () => parseDomainFlag("a..b"),
    ]
  ) assertThrows(parse, RangeError);
});
