/** The file that the graders of lesson 3 share, and its torrent: the same bytes on every machine. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { type Bencoded, fromLatin1, writeBencode } from "./_bencode.ts";

/** Name of the file. */
export const FILE_NAME = "grading.bin";
/** Bytes in a piece: four blocks. */
export const PIECE_BYTES = 65_536;
/** Bytes in a block: what is asked for at a time. */
export const BLOCK_BYTES = 16_384;
/** Five whole pieces and a short one, whose last block is short too. */
export const FILE_BYTES = 5 * PIECE_BYTES + 20_001;
/** Pieces in the file. */
export const PIECES = 6;

/** Who is told of peers when nobody says otherwise: a tracker of this machine. */
const ANNOUNCE = "http://127.0.0.1:6969/announce";

/** SHA-1. */
export function sha1(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** Bytes that look random and are the same each time. */
export function repeatableBytes(
  count: number,
  seed: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  let state = seed;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** The file's bytes. */
export const CONTENT: Uint8Array<ArrayBuffer> = repeatableBytes(FILE_BYTES, 3);

/** The bytes of a piece. */
export function pieceOf(index: number): Uint8Array<ArrayBuffer> {
  return CONTENT.slice(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
}

const INFO: ReadonlyMap<string, Bencoded> = new Map<string, Bencoded>([
  ["length", FILE_BYTES],
  ["name", fromLatin1(FILE_NAME)],
  ["piece length", PIECE_BYTES],
  [
    "pieces",
    Uint8Array.from(
      Array.from({ length: PIECES }, (_, index) => [...sha1(pieceOf(index))])
        .flat(),
    ),
  ],
]);

/** The torrent's name on the network: the SHA-1 of its `info`. */
export const INFO_HASH: Uint8Array<ArrayBuffer> = sha1(
  fromLatin1(writeBencode(INFO)),
);

/** The bytes of the `.torrent`. */
export function torrentOf(announce = ANNOUNCE): Uint8Array<ArrayBuffer> {
  return fromLatin1(writeBencode(
    new Map<string, Bencoded>([
      ["announce", fromLatin1(announce)],
      ["info", INFO],
    ]),
  ));
}

/** Writes `grading.bin` and `grading.torrent` into a folder; returns the paths. */
export async function writeShared(
  folder: string,
  announce = ANNOUNCE,
): Promise<{ readonly file: string; readonly torrent: string }> {
  const file = join(folder, FILE_NAME);
  const torrent = join(folder, "grading.torrent");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(file, CONTENT);
  await Deno.writeFile(torrent, torrentOf(announce));
  return { file, torrent };
}
