import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat, toHex, utf8 } from "../../../../lib/core/bytes.ts";
import { PieceHashes } from "../../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { parseMetainfo } from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { hashing } from "../../../../lib/io/hash.ts";
import { Inventory } from "../../../../roles/peer/disk/inventory.ts";
import { MemoryFiles } from "../../../support/memory_files.ts";
import { roleContext } from "../../../support/role_context.ts";

const PIECE_BYTES = 16_384;
const PIECES = 4;

Deno.test("a peer that is stopped while it looks through its files records nothing: the next run finds all that is there", async () => {
  const content = Uint8Array.from(
    { length: PIECES * PIECE_BYTES },
    (_, at) => at >> 7,
  );
  const pieces = Array.from(
    { length: PIECES },
    (_, at) =>
      hashing.sha1(
        content.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES),
      ),
  );
  const info = parseMetainfo(
    concat(
      utf8(
        `d4:infod6:lengthi${content.length}e4:name1:a12:piece lengthi${PIECE_BYTES}e6:pieces${
          20 * PIECES
        }:`,
      ),
      ...pieces,
      utf8("ee"),
    ),
    hashing,
  );
  const memory = new MemoryFiles();
  memory.contents.set("dir/a", content);
  let stopAfterReads = 2;
  const stop = new AbortController();
  const files = {
    stat: (path: string) => memory.stat(path),
    read: (path: string) =>
      Promise.resolve(new Uint8Array(memory.contents.get(path)!)),
    writeAtomic: (path: string, ...parts: Uint8Array[]) =>
      memory.writeAtomic(path, ...parts),
    open: async (path: string) => {
      const file = await memory.open(path);
      return {
        ...file,
        readAt(offset: number, buffer: Uint8Array) {
          stopAfterReads -= 1;
          if (stopAfterReads === 0) stop.abort();
          return file.readAt(offset, buffer);
        },
      };
    },
  };
  const inventoryOf = (ctx: ReturnType<typeof roleContext>) =>
    new Inventory(ctx, {
      ...{ info, hashes: new PieceHashes(info, hashing), folder: "dir" },
    });
  {
    const ctx = roleContext({ files, signal: stop.signal });
    await using inventory = inventoryOf(ctx);
    await assertRejects(() => inventory.check({ force: false }));
    assertEquals(inventory.storage.stored.count, 2);
  }
  const record = `dir/.${toHex(info.infoHash)}.resume`;
  assert(!memory.contents.has(record));
  const ctx = roleContext({ files });
  await using inventory = inventoryOf(ctx);
  await inventory.check({ force: false });
  assertEquals(inventory.storage.stored.count, PIECES);
});
