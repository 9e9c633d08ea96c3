import { assert } from "@std/assert";
import { parseAddress } from "../../lib/core/address.ts";
import { seededRng } from "../../lib/core/rng.ts";
import type { Responder } from "../../lib/dns/authority/responder.ts";
import { RCODES, RECORD_TYPES } from "../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../lib/dns/message.ts";
import { parseName } from "../../lib/dns/name.ts";
import { encodeQuery } from "../../lib/dns/stub_query.ts";

const NAMES = [
  "video.kingcdn.example",
  "deep1.kingcdn.example",
  "a.b.wild.kingcdn.example",
  "y.sub.kingcdn.example",
  "kingcdn.example",
  "other.test",
  ".",
];
const TYPES = [
  ...Object.values(RECORD_TYPES),
  0,
  666,
  65535,
];

/** Queries of all kinds that are well-formed: with client subnet, cookie, several records. */
export function wellFormedQueries(): Uint8Array<ArrayBuffer>[] {
  return NAMES.flatMap((name) =>
    TYPES.map((type) => {
      const plain = decodeMessage(encodeQuery({
        id: 7,
        name: parseName(name),
        type,
        clientSubnet: {
          bytes: new Uint8Array([127, 2, 0, 0]),
          prefixLength: 16,
        },
      }));
      const cookie = new Uint8Array(type % 2 === 0 ? 8 : 24).fill(5);
      return encodeMessage({ ...plain, edns: { ...plain.edns!, cookie } });
    })
  );
}

/**
 * Checks what a responder says to any bytes: nothing, or a well-formed message, within its limit, and no longer than the
 * query when that is at fault.
 */
export function checkAnswer(
  responder: Responder,
  query: Uint8Array,
  transport: "udp" | "tcp",
): void {
  const address = parseAddress("127.2.0.1");
  const reply = responder.respond(query, { address, transport });
  if (reply === undefined) {
    assert(query.length < 12 || (query[2]! & 0x80) !== 0);
    return;
  }
  const message = decodeMessage(reply.bytes);
  assert(message.isResponse && message.id === (query[0]! << 8 | query[1]!));
  assert(transport === "tcp" || reply.bytes.length <= 1232);
  if (
    [RCODES.FORMERR, RCODES.NOTIMP, RCODES.BADVERS].some((rcode) =>
      rcode === message.rcode
    )
  ) {
    assert(
      reply.bytes.length <= query.length,
      `${reply.bytes.length} bytes for ${query.length}`,
    );
  }
}

/** Sends `count` damaged and random messages; the same for the same `seed`. */
export function fuzz(
  responder: Responder,
  { count, seed }: { readonly count: number; readonly seed: number },
): void {
  const rng = seededRng(seed);
  const below = (limit: number) => Math.floor(rng() * limit);
  const queries = wellFormedQueries();
  for (let turn = 0; turn < count; turn++) {
    const whole = queries[below(queries.length)]!;
    const bytes = turn % 4 === 0
      ? new Uint8Array(below(100)).map(() => below(256))
      : whole.slice(0, turn % 4 === 1 ? below(whole.length) : whole.length);
    for (let change = below(4); change > 0 && bytes.length > 0; change--) {
      bytes[below(bytes.length)] = below(256);
    }
    checkAnswer(responder, bytes, turn % 3 === 0 ? "tcp" : "udp");
  }
}
