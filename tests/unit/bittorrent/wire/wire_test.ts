import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, fromHex, toHex, utf8 } from "../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import {
  decodeFeatures,
  decodeHandshake,
  encodeFeatures,
  encodeHandshake,
} from "../../../../lib/bittorrent/wire/handshake.ts";
import {
  BLOCK_BYTES,
  type EncodableMessage,
  encodeMessage,
  PIECE_HEADER_BYTES,
  type WireMessage,
  writePieceHeader,
} from "../../../../lib/bittorrent/wire/messages.ts";
import { WireDecoder } from "../../../../lib/bittorrent/wire/decoder.ts";

const HANDSHAKE = encodeHandshake({
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
});

/** Messages and their bytes, by hand from BEP 3, 5, 6 and 10. */
const VECTORS: readonly [EncodableMessage, string][] = [
  [{ kind: "keep-alive" }, "00000000"],
  [{ kind: "choke" }, "0000000100"],
  [{ kind: "unchoke" }, "0000000101"],
  [{ kind: "interested" }, "0000000102"],
  [{ kind: "not-interested" }, "0000000103"],
  [{ kind: "have", pieceIndex: 258 }, "000000050400000102"],
  [{ kind: "bitfield", bytes: Uint8Array.of(0xa5, 0x80) }, "0000000305a580"],
  [
    { kind: "request", pieceIndex: 1, begin: 16384, lengthBytes: 16384 },
    "0000000d06000000010000400000004000",
  ],
  [
    { kind: "cancel", pieceIndex: 1, begin: 16384, lengthBytes: 16384 },
    "0000000d08000000010000400000004000",
  ],
  [{ kind: "port", port: 6881 }, "00000003091ae1"],
  [{ kind: "suggest", pieceIndex: 7 }, "000000050d00000007"],
  [{ kind: "have-all" }, "000000010e"],
  [{ kind: "have-none" }, "000000010f"],
  [
    { kind: "reject", pieceIndex: 1, begin: 16384, lengthBytes: 16384 },
    "0000000d10000000010000400000004000",
  ],
  [{ kind: "allowed-fast", pieceIndex: 9 }, "000000051100000009"],
  [
    { kind: "extended", id: 0, payload: utf8("d1:pi6881ee") },
    "0000000d140064313a7069363838316565",
  ],
  [{ kind: "extended", id: 3, payload: new Uint8Array() }, "000000021403"],
];

function pieceBytes(block: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_BYTES + block.length);
  writePieceHeader(bytes, 0, {
    pieceIndex: 3,
    begin: 32768,
    lengthBytes: block.length,
  });
  bytes.set(block, PIECE_HEADER_BYTES);
  return bytes;
}

/** Blocks are views: they are copied before the next push. */
function copied(message: WireMessage): WireMessage {
  if (message.kind === "extended") {
    return { ...message, payload: message.payload.slice() };
  }
  return message.kind === "piece"
    ? { ...message, block: message.block.slice() }
    : message;
}

function decodeAll(parts: readonly Uint8Array[]): WireMessage[] {
  const decoder = new WireDecoder({ pieceCount: 10 });
  return parts.flatMap((part) => decoder.push(part).map(copied));
}

function codeOf(bytes: Uint8Array): string {
  try {
    decodeAll([bytes]);
  } catch (error) {
    assert(error instanceof ProtocolError, String(error));
    return error.code;
  }
  return "";
}

Deno.test("encodeMessage and WireDecoder agree with the BEPs, message by message", () => {
  for (const [message, hex] of VECTORS) {
    assertEquals(toHex(encodeMessage(message)), hex);
    assertEquals(decodeAll([HANDSHAKE, fromHex(hex)]), [message]);
  }
});

Deno.test("encodeHandshake writes what decodeHandshake reads, with no extension announced", () => {
  assertEquals(
    toHex(HANDSHAKE.subarray(0, 28)),
    toHex(utf8("\x13BitTorrent protocol")) + "0000000000000000",
  );
  const { reserved, infoHash, peerId } = decodeHandshake(HANDSHAKE);
  assertEquals([reserved[0], infoHash[19], peerId[0]], [0, 1, 2]);
  assertThrows(
    () => encodeHandshake({ infoHash: new Uint8Array(19), peerId }),
    RangeError,
  );
});

Deno.test("WireDecoder gives the same messages for any split of the stream", () => {
  const block = Uint8Array.from({ length: 3000 }, (_, at) => at % 256);
  const stream = concat(
    HANDSHAKE,
    ...VECTORS.map(([message]) => encodeMessage(message)),
    pieceBytes(block),
    fromHex("0000000418aabbcc"),
    pieceBytes(block.subarray(0, 7)),
    encodeMessage({ kind: "choke" }),
  );
  const whole = decodeAll([stream]);
  assertEquals(whole.length, VECTORS.length + 4);
  assertEquals(whole.at(-3), { kind: "unknown", id: 24 });
  const rng = seededRng(1);
  const splits: Uint8Array[][] = [
    [...stream].map((byte) => Uint8Array.of(byte)),
  ];
  for (let run = 0; run < 60; run++) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + Math.floor(rng() ** 3 * 2000);
      parts.push(stream.slice(at, end));
      at = end;
    }
    splits.push(parts);
  }
  for (const parts of splits) assertEquals(decodeAll(parts), whole);
});

Deno.test("WireDecoder refuses what cannot be, before it has to keep it", () => {
  assertEquals(codeOf(utf8("GET / HTTP/1.1\r\n")), "handshake-not-bittorrent");
  assertEquals(
    codeOf(utf8("\x13BitTorrent protocoL")),
    "handshake-not-bittorrent",
  );
  const after = (hex: string) => codeOf(concat(HANDSHAKE, fromHex(hex)));
  assertEquals(after("ffffffff07"), "wire-too-long");
  assertEquals(after("ffffffff14"), "wire-too-long");
  assertEquals(after("0001000114"), "wire-too-long");
  assertEquals(after("0000400a07"), "wire-too-long");
  assertEquals(after("0000000405"), "wire-too-long");
  assertEquals(after("0000000200"), "wire-too-long");
  assertEquals(after("0000000404"), "wire-bad-length");
  assertEquals(after("0000000907"), "wire-bad-length");
  assertEquals(after("0001000014"), "");
  assertEquals(after("0000000114"), "wire-bad-length");
  assertEquals(after("000000020e"), "wire-too-long");
  assertEquals(after("0000000c10"), "wire-bad-length");
  assertEquals(after("0000000211"), "wire-bad-length");
});

Deno.test("WireDecoder takes no memory for a length it has not checked", () => {
  const vast = concat(HANDSHAKE, fromHex("ffffffff00"));
  const sent: readonly (readonly Uint8Array[])[] = [
    // "\x13Bit" of a handshake is no length of 300 MB.
    [HANDSHAKE.subarray(0, 4), HANDSHAKE.subarray(4, 40)],
    [HANDSHAKE.subarray(0, 67)],
    // A length of 4 GiB, with and without the handshake in front, its id still to come or alone.
    [vast.subarray(0, 72)],
    [HANDSHAKE, fromHex("ffffffff")],
    [HANDSHAKE, fromHex("ffff"), fromHex("ffff")],
  ];
  const before = Deno.memoryUsage().external;
  const decoders = sent.map((parts) => {
    const decoder = new WireDecoder({ pieceCount: 100 });
    for (const part of parts) assertEquals(decoder.push(part), []);
    return decoder;
  });
  for (const decoder of decoders.slice(2)) {
    assertThrows(() => decoder.push(fromHex("00")), ProtocolError);
  }
  const taken = Deno.memoryUsage().external - before;
  assert(taken < 10_000_000, `${taken} bytes`);
});

Deno.test("WireDecoder skips a long unknown message without keeping it", () => {
  const decoder = new WireDecoder({ pieceCount: 8 });
  decoder.push(HANDSHAKE);
  assertEquals(decoder.push(fromHex("00010000ff")), [{
    kind: "unknown",
    id: 255,
  }]);
  assertEquals(decoder.push(new Uint8Array(65535 - 1)), []);
  assertEquals(decoder.push(concat(Uint8Array.of(9), fromHex("0000000101"))), [{
    kind: "unchoke",
  }]);
});

Deno.test("WireDecoder throws nothing but ProtocolError for random bytes (seed 5)", () => {
  const rng = seededRng(5);
  const codes = new Set<string>();
  for (let run = 0; run < 400; run++) {
    const bytes = Uint8Array.from(
      { length: 200 },
      () => rng() < 0.5 ? 0 : rng() * 256,
    );
    codes.add(codeOf(bytes)).add(codeOf(concat(HANDSHAKE, bytes)));
    // Most lengths that are drawn are too long: here is one that fits.
    const lengthBytes = Math.floor(rng() * 24);
    const framed = bytes.slice(0, 4 + lengthBytes);
    framed.set([0, 0, 0, lengthBytes]);
    if (lengthBytes > 0) framed[4] = rng() * 24;
    codes.add(codeOf(concat(HANDSHAKE, framed)));
  }
  // Not all of it is refused at once, for one reason.
  assert(codes.has("") && codes.size > 3, [...codes].join());
});

Deno.test("WireDecoder gives a block as a view of the input, not a copy", () => {
  const decoder = new WireDecoder({ pieceCount: 8 });
  decoder.push(HANDSHAKE);
  const bytes = pieceBytes(new Uint8Array(BLOCK_BYTES));
  const [message] = decoder.push(bytes);
  assert(message?.kind === "piece" && message.block.buffer === bytes.buffer);
});

Deno.test("encodeFeatures sets the bits of BEP 5, 6, 10 and 52, and decodeFeatures reads them among others", () => {
  const vectors = [
    ["extended", "0000000000100000"],
    ["fast", "0000000000000004"],
    ["dht", "0000000000000001"],
    ["v2", "0000000000000010"],
  ] as const;
  for (const [name, hex] of vectors) {
    assertEquals(toHex(encodeFeatures({ [name]: true })), hex);
    assertEquals(decodeFeatures(fromHex(hex))[name], true);
  }
  // libtorrent 2.0.8 announces all but v2; the other bits are nobody's.
  assertEquals(decodeFeatures(fromHex("ffffffffffefffef")), {
    ...{ extended: false, fast: true, dht: true, v2: false },
  });
  assertEquals(
    toHex(encodeFeatures({ extended: true, fast: true, dht: true })),
    "0000000000100005",
  );
});
