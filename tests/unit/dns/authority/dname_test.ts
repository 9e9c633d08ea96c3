/** DNAME: a whole subtree under another name (RFC 6672). */
import { assertEquals, assertThrows } from "@std/assert";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { RCODES } from "../../../../lib/dns/codes.ts";
import { formatName, parseName, withNewEnd } from "../../../../lib/dns/name.ts";
import { ask, lines, responderFor, ZONE } from "./ask.ts";

const OLD = `${ZONE}
old 60 DNAME new
occluded.old A 127.0.0.66
*.old A 127.0.0.66
old TXT "itself"
cut.old NS ns1
host.new A 127.0.0.20
*.any.new A 127.0.0.21
alias CNAME host.old
away DNAME elsewhere.example.
mail.away MX 10 host.old
grow DNAME a.grow
swap DNAME paws
paws DNAME swap
long DNAME ${"x".repeat(60)}.${"y".repeat(60)}.new
@ MX 20 host.old
below.sub DNAME new
`;

/** Code, answers and authorities of an answer with AA, as lines. */
function told(question: string, zones = [OLD]): unknown[] {
  const { message } = ask(responderFor(zones), question);
  assertEquals(message.authoritative, true);
  const short = (records: typeof message.answers) =>
    lines(records).map((line) =>
      line.replaceAll(".kingcdn.example.", "").replace(/ SOA .*/, " SOA")
    );
  const { rcode, answers, authorities } = message;
  return [rcode, short(answers), ...short(authorities)];
}

Deno.test("withNewEnd replaces the end of a name as RFC 6672 §2.2 has it", () => {
  for (
    const [name, owner, target, made] of [
      ["a.example.com.", "example.com.", "example.net.", "a.example.net."],
      ["a.b.example.com.", "example.com.", "example.net.", "a.b.example.net."],
      ["a.x.example.com.", "x.example.com.", "example.net.", "a.example.net."],
      ["a.example.com.", "example.com.", "y.example.net.", "a.y.example.net."],
      ["cyc.example.com.", "example.com.", "example.com.", "cyc.example.com."],
      ["shortloop.x.x.", "x.", ".", "shortloop.x."],
      ["shortloop.x.", "x.", ".", "shortloop."],
    ] as const
  ) {
    const end = parseName(owner).length;
    const renamed = withNewEnd(parseName(name), end, parseName(target));
    assertEquals(formatName(renamed!), made);
  }
});

Deno.test("Responder answers below a DNAME with it and the alias it makes, and goes on from there", () => {
  const dname = "old 60 DNAME new";
  assertEquals(told("host.old.kingcdn.example"), [0, [
    dname,
    "host.old 60 CNAME host.new",
    "host.new 3600 A 127.0.0.20",
  ]]);
  // what stands below it, a wildcard or a delegation, is not there
  for (const name of ["occluded", "x", "cut", "x.cut"]) {
    assertEquals(told(`${name}.old.kingcdn.example`), [
      RCODES.NXDOMAIN,
      [dname, `${name}.old 60 CNAME ${name}.new`],
      "kingcdn.example. 30 SOA",
    ]);
  }
  assertEquals(told("q.any.old.kingcdn.example")[1], [
    dname,
    "q.any.old 60 CNAME q.any.new",
    "q.any.new 3600 A 127.0.0.21",
  ]);
  assertEquals(told("alias.kingcdn.example")[1], [
    "alias 3600 CNAME host.old",
    dname,
    "host.old 60 CNAME host.new",
    "host.new 3600 A 127.0.0.20",
  ]);
});

Deno.test("Responder answers at a DNAME as at any other name, and with the alias itself to who asks for it", () => {
  assertEquals(told("old.kingcdn.example TXT"), [0, ['old 3600 TXT "itself"']]);
  assertEquals(told("old.kingcdn.example DNAME"), [0, ["old 60 DNAME new"]]);
  assertEquals(told("old.kingcdn.example"), [0, [], "kingcdn.example. 30 SOA"]);
  for (const type of ["CNAME", "ANY"]) {
    assertEquals(told(`host.old.kingcdn.example ${type}`), [0, [
      "old 60 DNAME new",
      "host.old 60 CNAME host.new",
    ]]);
  }
  assertEquals(told("a.away.kingcdn.example"), [0, [
    "away 3600 DNAME elsewhere.example.",
    "a.away 3600 CNAME a.elsewhere.example.",
  ]]);
});

Deno.test("Responder follows no DNAME twice, and says YXDOMAIN where a name gets too long", () => {
  assertEquals(told("x.grow.kingcdn.example")[1], [
    "grow 3600 DNAME a.grow",
    "x.grow 3600 CNAME x.a.grow",
  ]);
  assertEquals((told("x.swap.kingcdn.example")[1] as string[]).length, 4);
  const name = `${"a".repeat(60)}.${"b".repeat(60)}.long.kingcdn.example`;
  const [rcode, answers] = told(name);
  assertEquals([rcode, (answers as string[]).length], [RCODES.YXDOMAIN, 1]);
});

Deno.test("Responder tells no addresses that a DNAME hides, and no DNAME that is below a delegation", () => {
  const responder = responderFor([OLD]);
  const { message } = ask(responder, "kingcdn.example MX");
  assertEquals(lines(message.additionals), [
    "mail.kingcdn.example. 3600 A 127.0.0.9",
  ]);
  const below = ask(responder, "x.below.sub.kingcdn.example").message;
  assertEquals([below.authoritative, below.answers.length], [false, 0]);
});

Deno.test("ZoneTable refuses a second DNAME of a name, and an alias beside one", () => {
  for (const line of ["old DNAME other", "old CNAME other"]) {
    const zones = parseMasterFile(`${OLD}${line}\n`);
    assertThrows(() => new ZoneTable(zones), SyntaxError, "line 46");
  }
});
