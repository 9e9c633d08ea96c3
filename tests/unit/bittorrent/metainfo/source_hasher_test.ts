import { assertEquals } from "@std/assert";
import {
  type PieceCut,
  SourceHasher,
} from "../../../../lib/bittorrent/metainfo/source_hasher.ts";
import { hashing } from "../../../../lib/io/hash.ts";

const PIECE = 16_384;

Deno.test("SourceHasher fills up the files of v1, with align, as those of a hybrid", () => {
  const sources = [["a"], ["b"]].map((path) => ({
    path,
    lengthBytes: PIECE + 5,
  }));
  const hash = (cut: Pick<PieceCut, "version" | "align">) => {
    const hasher = new SourceHasher({ pieceLength: PIECE, ...cut }, hashing);
    for (const source of sources) {
      hasher.add(new Uint8Array(PIECE).fill(1), source, false);
      hasher.add(new Uint8Array(5).fill(2), source, true);
    }
    return hasher.finish(sources);
  };
  const aligned = hash({ version: "v1", align: true });
  const hybrid = hash({ version: "hybrid" });
  assertEquals(aligned.pieces, hybrid.pieces);
  assertEquals(aligned.pieces.length, 4 * 20);
  const filled = new Uint8Array(PIECE).fill(2, 0, 5);
  assertEquals(aligned.pieces.subarray(20, 40), hashing.sha1(filled));
  assertEquals(aligned.pieceLayers.size, 0);
  assertEquals(hybrid.pieceLayers.size, 1);
});
