import { assertEquals } from "@std/assert";
import { memoryResource } from "../../../roles/origin/site.ts";

Deno.test("memoryResource follows its bytes with zeros up to its size", async () => {
  const resource = memoryResource(Uint8Array.of(1, 2, 3), {
    mediaType: "video/mp4",
    entityTag: { weak: false, opaque: "a" },
    modifiedAtWallMs: undefined,
    sizeBytes: 200_000,
  });
  assertEquals(resource.sizeBytes, 200_000);
  await using content = await resource.open();
  const read = async (offset: number, length: number) => [
    ...await content.read(offset, length),
  ];
  assertEquals(await read(1, 2), [2, 3]);
  assertEquals(await read(1, 4), [2, 3, 0, 0]);
  assertEquals(await read(3, 2), [0, 0]);
  assertEquals(await read(0, 200_000), [1, 2, 3, ...Array(199_997).fill(0)]);
  assertEquals((await read(100_000, 100_000)).length, 100_000);
});
