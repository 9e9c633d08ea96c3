/** What an edge asks of itself. */
import { assertEquals } from "@std/assert";
import { Fields } from "../../../../lib/http/fields.ts";
import { Errands } from "../../../../roles/edge/titles/errands.ts";

Deno.test("Errands calls a hit what this edge had, not what an edge behind it had", async () => {
  const hitOf = async (cacheStatus: string) => {
    const answer = () => ({
      status: 200,
      headers: new Fields([["cache-status", cacheStatus]]),
      body: new Uint8Array(1),
    });
    const { signal } = new AbortController();
    return (await new Errands({ handle: answer }, signal).get("/a")).isHit;
  };
  assertEquals(
    await hitOf('far; fwd=uri-miss; stored, near; hit; key="/a"'),
    true,
  );
  assertEquals(await hitOf('far; hit; key="/a", near; fwd=uri-miss'), false);
});
