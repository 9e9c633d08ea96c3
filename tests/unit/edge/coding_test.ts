import { assertEquals } from "@std/assert";
import { edgeOf } from "./_edge.ts";

/** An edge whose origin has one text, as it is and coded; `vary` as the origin says it. */
function codingEdge(vary: string | undefined) {
  return edgeOf((_, { headers }) => {
    const coding = new Headers([...headers].map(([n, v]) => [n, v]))
      .get("accept-encoding");
    return new Response(coding, {
      headers: {
        "cache-control": "max-age=60",
        etag: `"${coding}"`,
        ...(vary === undefined ? {} : { vary }),
        ...(coding === "gzip" ? { "content-encoding": "gzip" } : {}),
      },
    });
  });
}

Deno.test("Edge asks for gzip or for no coding, and keeps a copy of each", async () => {
  const { ask, asked } = codingEdge("Accept-Encoding");
  // [Accept-Encoding, the copy that comes, how often the origin was asked then]
  const cases: readonly (readonly [string | undefined, string, number])[] = [
    ["gzip, deflate, br", "gzip", 1],
    ["br;q=1.0, GZIP;q=0.8", "gzip", 1],
    ["*", "gzip", 1],
    [undefined, "identity", 2],
    ["br", "identity", 2],
    ["gzip;q=0", "identity", 2],
    ["identity;q=1, *;q=0", "identity", 2],
    ["gzip", "gzip", 2],
  ];
  for (const [accepted, coding, times] of cases) {
    const answer = await ask(
      "/",
      accepted === undefined
        ? {}
        : { headers: { "accept-encoding": accepted } },
    );
    assertEquals(answer.text, coding, accepted);
    assertEquals(
      answer.headers.get("content-encoding"),
      coding === "gzip" ? "gzip" : null,
    );
    assertEquals(asked.length, times, accepted);
  }
});

Deno.test("Edge gives a coded answer only to those who take it, though its origin says no Vary", async () => {
  const { ask, asked } = codingEdge(undefined);
  const gzip = { headers: { "accept-encoding": "gzip" } };
  assertEquals((await ask("/", gzip)).text, "gzip");
  assertEquals((await ask("/")).text, "identity");
  assertEquals(asked.length, 2);
});
