import { assertEquals } from "@std/assert";
import { parseSteering } from "../../../../lib/dns/select/mod.ts";
import { ask, lines, responderFor, ZONE } from "./ask.ts";

const DELEGATION = `${ZONE}
sub DS 1 2 3 0a0B
sub DS \\# 6 000102040c0d
alias CNAME sub
other NS ns.sub
other NS ns.out.sub
other NS away.elsewhere.example.
ns.out.sub A 127.0.0.13
`;
const BELOW = `
$ORIGIN sub.kingcdn.example.
$TTL 60
@ SOA ns hostmaster 7 1d 2h 4w 30
@ NS ns
ns A 127.0.0.11
out NS ns.out
ns.out A 127.0.0.12
`;
const ELSEWHERE = `
$ORIGIN elsewhere.example.
$TTL 60
@ SOA away hostmaster 7 1d 2h 4w 30
@ NS away
away A 127.0.0.14
`;
const DS = [
  "sub.kingcdn.example. 3600 DS 1 2 3 0a0b",
  "sub.kingcdn.example. 3600 DS 1 2 4 0c0d",
];

Deno.test("Responder gives the DS of a zone from the zone above it, when both are its own (RFC 4035 §3.1.4.1)", () => {
  const { message } = ask(
    responderFor([DELEGATION, BELOW]),
    "sub.kingcdn.example DS",
  );
  assertEquals(lines(message.answers), DS);
  assertEquals(message.authoritative, true);
  const alias = ask(
    responderFor([DELEGATION, BELOW]),
    "alias.kingcdn.example DS",
  );
  assertEquals(lines(alias.message.answers), [
    "alias.kingcdn.example. 3600 CNAME sub.kingcdn.example.",
    ...DS,
  ]);
});

Deno.test("Responder says with the SOA of the zone above that a zone has no DS", () => {
  const { message } = ask(
    responderFor([ZONE, BELOW]),
    "sub.kingcdn.example DS",
  );
  assertEquals(message.answers, []);
  assertEquals(lines(message.authorities), [
    "kingcdn.example. 30 SOA ns1.kingcdn.example. hostmaster.kingcdn.example. 1 86400 7200 2419200 30",
  ]);
  // nobody is above, or another server is
  for (const zones of [[BELOW], [BELOW, deeper()]]) {
    const name = zones.length === 1 ? "sub" : "x.out.sub";
    const own = ask(responderFor(zones), `${name}.kingcdn.example DS`);
    assertEquals(
      lines(own.message.authorities).map((line) => line.split(" ")[0]),
      [`${name}.kingcdn.example.`],
    );
  }
});

/** A zone below a delegation of `BELOW` to others. */
function deeper(): string {
  return BELOW.replace("sub", "x.out.sub").replace("\nout NS ns.out", "");
}

Deno.test("Responder names the addresses of a delegation's servers that are in another zone of its own below", () => {
  const { message } = ask(
    responderFor([DELEGATION, BELOW, ELSEWHERE]),
    "x.other.kingcdn.example",
  );
  assertEquals(message.authorities.length, 3);
  // not what is below another delegation there, nor what is elsewhere
  assertEquals(lines(message.additionals), [
    "ns.sub.kingcdn.example. 60 A 127.0.0.11",
  ]);
});

Deno.test("Responder tells the titles below a wildcard apart by hash, each in its place whatever its case", () => {
  const edges = [1, 2, 3].map((edge) => `*.titles A 127.0.1.${edge}`);
  const zone = [ZONE, ...edges, "alias CNAME t7.titles", ""].join("\n");
  const steering = parseSteering("hash");
  const responder = responderFor([zone], { steering });
  const edgeOf = (name: string) =>
    lines(ask(responder, `${name}.kingcdn.example`).message.answers).at(-1)!
      .split(" ").at(-1)!;
  const chosen = Array.from({ length: 30 }, (_, at) => edgeOf(`t${at}.titles`));
  assertEquals([...new Set(chosen)].toSorted(), [
    "127.0.1.1",
    "127.0.1.2",
    "127.0.1.3",
  ]);
  assertEquals(edgeOf("T7.Titles"), chosen[7]);
  assertEquals(edgeOf("alias"), chosen[7]);
});
