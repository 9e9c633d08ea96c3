import { assert, assertEquals } from "@std/assert";
import { parseAddress, parseCidr } from "../../../../lib/core/address.ts";
import { fromHex } from "../../../../lib/core/bytes.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { ResponseRateLimit } from "../../../../lib/dns/authority/rate_limit.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import { ServerCookies } from "../../../../lib/dns/authority/server_cookies.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { ZONE } from "./ask.ts";

function limit(slip = 2, ...exempt: string[]): ResponseRateLimit {
  return new ResponseRateLimit({
    perSecond: 5,
    slip,
    exempt: exempt.map(parseCidr),
    key: 99,
  });
}

/** Fates of `count` equal answers at one moment. */
function fates(
  limited: ResponseRateLimit,
  count: number,
  { host = "10.1.2.3", nowMs = 1000, answerKey = 7 } = {},
): string {
  return Array.from(
    { length: count },
    () => limited.decide(parseAddress(host), { answerKey, nowMs })[1],
  ).join("");
}

Deno.test("ResponseRateLimit sends the rate, and slips every so many of the rest", () => {
  assertEquals(fates(limit(), 11), "eeeeerlrlrl");
  assertEquals(fates(limit(0), 8), "eeeeerrr");
  assertEquals(fates(limit(1), 8), "eeeeelll");
  assertEquals(fates(limit(3), 11), "eeeeerrlrrl");
});

Deno.test("ResponseRateLimit counts networks and answers apart", () => {
  const limited = limit(0);
  assertEquals(fates(limited, 6), "eeeeer");
  assertEquals(fates(limited, 1, { host: "10.1.2.99" }), "r");
  assertEquals(fates(limited, 1, { host: "10.1.3.3" }), "e");
  assertEquals(fates(limited, 1, { answerKey: 8 }), "e");
  assertEquals(fates(limited, 6, { host: "2001:db8::1" }), "eeeeer");
  assertEquals(fates(limited, 1, { host: "2001:db8:0:ff::1" }), "r");
  assertEquals(fates(limited, 1, { host: "2001:db8:0:100::1" }), "e");
});

Deno.test("ResponseRateLimit limits a flood that names many networks in turn, each for itself", () => {
  const limited = limit(0);
  const sent = new Map<number, number>();
  for (let round = 0; round < 20; round++) {
    for (let network = 0; network < 1000; network++) {
      const address = parseAddress(`10.${network >> 8}.${network & 255}.9`);
      const fate = limited.decide(address, { answerKey: 7, nowMs: 1000 });
      const before = sent.get(network) ?? 0;
      sent.set(network, before + (fate === "sent" ? 1 : 0));
    }
  }
  // two networks may meet in one bucket: the newer begins anew, and the older one too when it comes back
  const exact = [...sent.values()].filter((count) => count === 5).length;
  assert(exact > 950, `${exact} of 1000 networks got the rate`);
});

Deno.test("ResponseRateLimit begins anew for a network that takes another's bucket", () => {
  const limited = new ResponseRateLimit({
    ...{ perSecond: 1, slip: 0, exempt: [], key: 99 },
  });
  // three networks a bucket
  for (let network = 0; network < 200_000; network++) {
    const address = Uint8Array.of(network >> 16, network >> 8, network, 9);
    const fate = limited.decide(address, { answerKey: 7, nowMs: 1000 });
    assertEquals(fate, "sent", `${network}`);
  }
});

Deno.test("ResponseRateLimit lets a flood pause before it is answered again", () => {
  const limited = limit(0);
  assertEquals(fates(limited, 15), "eeeeerrrrrrrrrr");
  assertEquals(fates(limited, 1, { nowMs: 2000 }), "r");
  assertEquals(fates(limited, 3, { nowMs: 4000 }), "eee");
  // the debt has an end
  fates(limited, 10_000, { nowMs: 5000 });
  assertEquals(fates(limited, 1, { nowMs: 20_000 }), "r");
  assertEquals(fates(limited, 6, { nowMs: 22_000 }), "eeeeer");
});

Deno.test("ResponseRateLimit exempts only who it is told to, loopback not by itself", () => {
  assertEquals(fates(limit(0), 6, { host: "127.0.0.1" }), "eeeeer");
  const exempting = limit(0, "127.0.0.0/8");
  assertEquals(fates(exempting, 6, { host: "127.0.0.1" }), "eeeeee");
});

Deno.test("Responder limits equal answers over UDP, not over TCP and not for who shows its cookie", () => {
  const responder = new Responder(new ZoneTable(parseMasterFile(ZONE)), {
    rng: () => 0,
    clock: { nowMs: () => 1000, wallMs: () => 1_767_225_600_000 },
    cookies: new ServerCookies(new Uint8Array(16)),
    rateLimit: limit(),
  });
  const address = parseAddress("10.0.0.1");
  const send = (
    name: string,
    transport: "udp" | "tcp",
    cookie?: Uint8Array,
  ) => {
    const query = encodeQuery({ id: 5, name: parseName(name), type: 1 });
    const message = decodeMessage(query);
    const bytes = cookie === undefined ? query : encodeMessage({
      ...message,
      edns: { ...message.edns!, cookie },
    });
    return responder.respond(bytes, { address, transport })!;
  };
  const name = "mail.kingcdn.example";
  const fatesOf = (count: number, each: () => { fate: string }) =>
    Array.from({ length: count }, () => each().fate[1]).join("");
  assertEquals(fatesOf(7, () => send(name, "udp")), "eeeeerl");
  assertEquals(send(name, "udp").bytes.length, 0);
  const slipped = decodeMessage(send(name, "udp").bytes);
  assert(slipped.truncated && slipped.authoritative);
  assertEquals([slipped.answers, slipped.questions.length], [[], 1]);
  assertEquals(send(name, "tcp").fate, "sent");
  // a first cookie may be anybody's; the second has been where the first was sent to
  const client = fromHex("0102030405060708");
  const { edns } = decodeMessage(send(name, "tcp", client).bytes);
  assertEquals(send(name, "udp", client).fate, "dropped");
  assertEquals(send(name, "udp", edns!.cookie).fate, "sent");
  // names that are not there, or below one wildcard, are one answer each
  let label = 0;
  const below = (domain: string) => () => send(`x${label++}.${domain}`, "udp");
  assertEquals(fatesOf(6, below("kingcdn.example")), "eeeeer");
  assertEquals(fatesOf(6, below("wild.kingcdn.example")), "eeeeer");
  assertEquals(fatesOf(6, below("elsewhere.example")), "eeeeer");
  assertEquals(fatesOf(1, () => send("txt.kingcdn.example", "udp")), "e");
});
