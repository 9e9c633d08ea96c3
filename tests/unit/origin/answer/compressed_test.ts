/** Texts in gzip, as the origin keeps them. */
import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { Compressor } from "../../../../roles/origin/answer/compressed.ts";
import {
  memoryResource,
  type Resource,
} from "../../../../roles/origin/site/site.ts";

/** A text with an entity tag that another one of its size may have, too: a time and a size. */
function textOf(letter: string): Resource {
  return memoryResource(utf8(letter.repeat(2000)), {
    mediaType: "text/plain; charset=utf-8",
    entityTag: { weak: false, opaque: "time-2000" },
    modifiedAtWallMs: 0,
  });
}

async function decoded(resource: Resource): Promise<string> {
  await using content = await resource.open();
  const bytes = new Uint8Array(await content.read(0, resource.sizeBytes));
  const text = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return await new Response(text).text();
}

Deno.test("Compressor does not take one text for another that is of the same time and size", async () => {
  const compressor = new Compressor();
  for (const letter of ["a", "b", "a"]) {
    const coded = await compressor.gzip(`/${letter}.m3u8`, textOf(letter));
    assertEquals(await decoded(coded), letter.repeat(2000));
    assertEquals(coded.entityTag.opaque, "time-2000-gzip");
  }
});

Deno.test("Compressor makes a text once, however many ask for it at once", async () => {
  let opened = 0;
  const text = textOf("a");
  const counted: Resource = {
    ...text,
    open() {
      opened += 1;
      return text.open();
    },
  };
  const compressor = new Compressor();
  const all = await Promise.all(
    Array.from({ length: 9 }, () => compressor.gzip("/a", counted)),
  );
  assertEquals([opened, new Set(all).size], [1, 1]);
  assert(await compressor.gzip("/a", counted) === all[0]);
  assertEquals(opened, 1);
});

Deno.test("Compressor tries again where a text could not be read", async () => {
  const compressor = new Compressor();
  const broken: Resource = {
    ...textOf("a"),
    open: () => Promise.reject(new Error("gone")),
  };
  const tries = await Promise.allSettled([
    compressor.gzip("/a", broken),
    compressor.gzip("/a", broken),
  ]);
  assertEquals(tries.map(({ status }) => status), ["rejected", "rejected"]);
  const coded = await compressor.gzip("/a", textOf("a"));
  assertEquals(await decoded(coded), "a".repeat(2000));
});

Deno.test("Compressor makes a text that caches may keep no longer than the text itself", async () => {
  const live = { ...textOf("a"), maxAgeMs: 1000 };
  const coded = await new Compressor().gzip("/a.mpd", live);
  assertEquals(coded.maxAgeMs, 1000);
});
