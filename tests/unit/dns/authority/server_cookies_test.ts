import { assert, assertEquals } from "@std/assert";
import { parseAddress } from "../../../../lib/core/address.ts";
import { fromHex, toHex } from "../../../../lib/core/bytes.ts";
import { RCODES } from "../../../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import { ServerCookies } from "../../../../lib/dns/authority/server_cookies.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { ZONE } from "./ask.ts";

/** RFC 9018 appendix A: key, client's address, its cookie, what it sent, when, and the cookie it gets. */
const VECTORS = [
  [
    "e5e973e5a6b2a43f48e7dc849e37bfcf",
    "198.51.100.100",
    "2464c4abcf10c957",
    "",
    1559731985,
    "010000005cf79f111f8130c3eee29480",
  ],
  [
    "e5e973e5a6b2a43f48e7dc849e37bfcf",
    "198.51.100.100",
    "2464c4abcf10c957",
    "010000005cf79f111f8130c3eee29480",
    1559734385,
    "010000005cf7a871d4a564a1442aca77",
  ],
  [
    "e5e973e5a6b2a43f48e7dc849e37bfcf",
    "203.0.113.203",
    "fc93fc62807ddb86",
    "01abcdef5cf78f71a314227b6679ebf5",
    1559734700,
    "010000005cf7a9acf73a7810aca2381e",
  ],
  [
    "445536bcd2513298075a5d379663c962",
    "2001:db8:220:1:59de:d0f4:8769:82b8",
    "22681ab97d52c298",
    "010000005cf7c57926556bd0934c72f8",
    1559741961,
    "010000005cf7c609a6bb79d16625507a",
  ],
] as const;

Deno.test("ServerCookies makes the cookies of RFC 9018's appendix", () => {
  for (const [key, host, client, given, wallSeconds, wanted] of VECTORS) {
    const cookies = new ServerCookies(fromHex(key));
    const sender = { address: parseAddress(host), wallSeconds };
    const age = cookies.age(fromHex(client + given), sender);
    const both = new Uint8Array(24);
    both.set(fromHex(client + given));
    cookies.renew(both, age, sender);
    assertEquals(toHex(both.subarray(8)), wanted);
  }
});

Deno.test("ServerCookies knows its own cookies, from the same address, for an hour", () => {
  const cookies = new ServerCookies(fromHex(VECTORS[0][0]));
  const address = parseAddress("198.51.100.100");
  const both = fromHex(VECTORS[0][2] + VECTORS[0][5]);
  const at = VECTORS[0][4];
  for (
    const [wallSeconds, age] of [
      [at, 0],
      [at + 3600, 3600],
      [at + 3601, undefined],
      [at - 300, -300],
      [at - 301, undefined],
    ] as const
  ) assertEquals(cookies.age(both, { address, wallSeconds }), age);
  const other = parseAddress("198.51.100.101");
  const sender = { address: other, wallSeconds: at };
  assertEquals(cookies.age(both, sender), undefined);
  for (let byte = 0; byte < both.length; byte++) {
    const forged = both.slice();
    forged[byte]! ^= 1;
    const said = cookies.age(forged, { address, wallSeconds: at });
    assertEquals(said, undefined, `byte ${byte}`);
  }
  // one that is young stays, so that a client's many queries do not change it
  const kept = both.slice();
  cookies.renew(kept, 1799, { address, wallSeconds: at + 1799 });
  assertEquals(kept, both);
});

function start() {
  let wallMs = 1_559_731_985_000;
  const responder = new Responder(new ZoneTable(parseMasterFile(ZONE)), {
    rng: () => 0,
    clock: { nowMs: () => 0, wallMs: () => wallMs },
    cookies: new ServerCookies(fromHex(VECTORS[0][0])),
  });
  const query = decodeMessage(
    encodeQuery({ id: 1, name: parseName("mail.kingcdn.example"), type: 1 }),
  );
  const edns = { ...query.edns!, version: 0 };
  const ask = (cookie: string | undefined, withQuestion = true) => {
    const reply = responder.respond(
      encodeMessage({
        ...query,
        ...(withQuestion ? {} : { questions: [] }),
        edns: cookie === undefined
          ? edns
          : { ...edns, cookie: fromHex(cookie) },
      }),
      { address: parseAddress("198.51.100.100"), transport: "udp" },
    );
    assert(reply !== undefined);
    const message = decodeMessage(reply.bytes);
    const given = message.edns?.cookie;
    return { message, cookie: given && toHex(given) };
  };
  return { ask, later: (ms: number) => wallMs += ms };
}

Deno.test("Responder gives a cookie to who asks with one, and keeps or renews it", () => {
  const { ask, later } = start();
  const client = VECTORS[0][2];
  const without = ask(undefined);
  assertEquals([without.cookie, without.message.answers.length], [
    ...[undefined, 1],
  ]);
  const first = ask(client);
  assertEquals(first.cookie, client + VECTORS[0][5]);
  assertEquals(first.message.answers.length, 1);
  assertEquals(ask(first.cookie!).cookie, first.cookie);
  later(2_400_000);
  assertEquals(ask(first.cookie!).cookie, client + VECTORS[1][5]);
  // somebody else's cookie does no harm: the query is answered as without (RFC 7873 §5.2.3)
  const foreign = ask(client + "00".repeat(16));
  assertEquals(foreign.message.answers.length, 1);
  assertEquals(foreign.cookie, client + VECTORS[1][5]);
  assertEquals(ask(client + "00".repeat(32)).message.answers.length, 1);
});

Deno.test("Responder answers a query for a cookie alone (RFC 7873 §5.4), and refuses cookies of other lengths", () => {
  const { ask } = start();
  const { message, cookie } = ask(VECTORS[0][2], false);
  assertEquals(message.rcode, RCODES.NOERROR);
  assertEquals(message.questions, []);
  assertEquals(cookie, VECTORS[0][2] + VECTORS[0][5]);
  for (const bytes of [0, 1, 7, 9, 15, 41]) {
    const refused = ask("00".repeat(bytes));
    assertEquals([bytes, refused.message.rcode], [bytes, RCODES.FORMERR]);
    assertEquals(refused.cookie, undefined);
  }
  for (const bytes of [8, 16, 17, 24, 40]) {
    const { message, cookie } = ask("00".repeat(bytes));
    assertEquals([bytes, message.rcode], [bytes, RCODES.NOERROR]);
    assertEquals(cookie?.length, 48);
  }
});
