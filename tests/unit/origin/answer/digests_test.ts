import { assertEquals } from "@std/assert";
import { parseRequestPath } from "../../../../lib/http/request_path.ts";
import { reprDigest } from "../../../../lib/io/hash.ts";
import {
  Digests,
  wantsDigest,
} from "../../../../roles/origin/answer/digests.ts";
import { memoryResource } from "../../../../roles/origin/site/site.ts";

Deno.test("wantsDigest is for those who ask for a digest that is made here", () => {
  const wants = (value: string) =>
    wantsDigest(new Headers({ "want-repr-digest": value }));
  assertEquals(
    ["sha-256=1", "sha-512=3, sha-256=10", "sha-256=0", "sha=1", "sha-256=("]
      .map(wants),
    [true, true, false, false, false],
  );
  assertEquals(wantsDigest(new Headers()), false);
});

Deno.test("Digests makes the digest of a version once, and none of what is too large", async () => {
  const digests = new Digests();
  const path = parseRequestPath("/a.m4s")!;
  let opened = 0;
  const resource = (opaque: string, sizeBytes = 3) => {
    const made = memoryResource(new Uint8Array([1, 2, 3]), {
      ...{ mediaType: "video/mp4", modifiedAtWallMs: 0, sizeBytes },
      entityTag: { weak: false, opaque },
    });
    return { ...made, open: () => (opened += 1, made.open()) };
  };
  const digest = reprDigest(new Uint8Array([1, 2, 3]));
  assertEquals(
    digest,
    "sha-256=:A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E=:",
  );
  assertEquals(await digests.of(path, resource("x")), digest);
  assertEquals(await digests.of(path, resource("x")), digest);
  assertEquals(opened, 1);
  await digests.of(path, resource("y"));
  assertEquals(opened, 2);
  assertEquals(digests.of(path, resource("z", 2 ** 30)), undefined);
});
