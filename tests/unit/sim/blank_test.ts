import { assertEquals } from "@std/assert";
import { concat } from "../../../lib/core/bytes.ts";
import {
  encodeHandshake,
  HANDSHAKE_BYTES,
} from "../../../lib/bittorrent/wire/handshake.ts";
import {
  encodeMessage,
  PIECE_HEADER_BYTES,
  writePieceHeader,
} from "../../../lib/bittorrent/wire/messages.ts";
import { BlankMemory, parcelsOf } from "../../../lib/sim/blank.ts";

function piece(pieceIndex: number, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_BYTES + lengthBytes);
  writePieceHeader(bytes, 0, { pieceIndex, begin: 0, lengthBytes });
  return bytes;
}

Deno.test("parcelsOf and BlankMemory lose nothing of a blank file's messages", () => {
  const hello = encodeHandshake({
    infoHash: new Uint8Array(20).fill(7),
    peerId: new Uint8Array(20).fill(65),
  });
  const have = encodeMessage({ kind: "have", pieceIndex: 300 });
  const bits = encodeMessage({
    kind: "bitfield",
    bytes: new Uint8Array(200).fill(0xff),
  });
  const memory = new BlankMemory();
  for (
    const [begun, sent, parcels] of [
      [true, have, 1],
      [false, concat(hello, bits, have), 1],
      [true, concat(have, bits, piece(1, 16_384)), 1],
      [true, concat(piece(1, 16_384), have, piece(2, 900), have, bits), 3],
      [false, concat(hello, piece(3, 16_384)), 1],
      [true, concat(bits, bits, bits, bits, bits, bits, piece(9, 65_536)), 1],
    ] as const
  ) {
    const cut = parcelsOf(sent, begun, HANDSHAKE_BYTES);
    assertEquals(cut.length, parcels);
    const arrived = concat(...cut.map((each) => memory.open(each).slice()));
    assertEquals(arrived, sent);
  }
});

Deno.test("BlankMemory lends each send of an input a buffer of its own", () => {
  const memory = new BlankMemory();
  assertEquals(memory.lends, false);
  const [a, b] = [memory.lend(900), memory.lend(900)];
  writePieceHeader(a, 0, { pieceIndex: 1, begin: 0, lengthBytes: 887 });
  writePieceHeader(b, 0, { pieceIndex: 2, begin: 0, lengthBytes: 887 });
  assertEquals([a[8], b[8], memory.lends], [1, 2, true]);
  memory.takeBack();
  assertEquals([memory.lend(500), memory.lends], [a, true]);
});
