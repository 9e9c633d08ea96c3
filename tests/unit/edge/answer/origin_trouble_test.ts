import { assertEquals } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { edgeOf } from "./_edge.ts";

const down = () => {
  throw new RunError("fetch-failed", "Cannot fetch it: down");
};

Deno.test("Edge tells once a second of an origin that fails all the time, and how often", async () => {
  const { ask, clock, events } = edgeOf(down, ["http://a.test"]);
  await Promise.all([1, 2, 3, 4, 5].map((n) => ask(`/${n}`)));
  const told = () =>
    events.flatMap((e) => e.type === "upstream.failed" ? [e.times ?? 1] : []);
  assertEquals(told(), [1]);
  await clock.advanceTo(1000);
  assertEquals(told(), [1, 4]);
});

Deno.test("Edges in a ring answer 508 to what all are asked for at once", async () => {
  type Edges = ReturnType<typeof edgeOf>;
  const ring: Edges[] = ["x", "y", "z"].map((mark, at): Edges =>
    edgeOf(
      async (url, { headers }) => {
        const next = ring[(at + 1) % 3]!;
        const fields = new Headers([...headers].map(([k, v]) => [k, v]));
        const { pathname } = new URL(url);
        const answer = await next.ask(pathname, { headers: fields });
        return new Response(answer.text, { status: answer.status });
      },
      ["http://next.test"],
      { mark: `rolecall-${mark}` },
    )
  );
  const answers = Promise.all(ring.map(({ ask }) => ask("/")));
  for (let second = 1; second <= 3; second++) {
    for (const { clock } of ring) await clock.advanceTo(1000 * second);
  }
  assertEquals((await answers).map(({ status }) => status), [508, 508, 508]);
});

Deno.test("Edge lets those who waited for a failed fetch fail with it", async () => {
  const { ask, asked } = edgeOf(down, ["http://a.test"]);
  const answers = await Promise.all([1, 2, 3].map(() => ask("/")));
  assertEquals(answers.map(({ status }) => status), [502, 502, 502]);
  assertEquals(asked.length, 1);
});
