import { assert, assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import type { FetchOptions } from "../../../../lib/io/net.ts";
import {
  checkEdge,
  type CheckOutcome,
  readMetrics,
} from "../../../../roles/dns_redirector/watch/edge_check.ts";
import type { WatchRules } from "../../../../roles/dns_redirector/watch/watch_flags.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";

const PLACE = { host: "10.0.0.3", port: 8081 };
const RULES: WatchRules = {
  ...{ intervalMs: 1000, fall: 2, rise: 2, timeoutMs: 500 },
  ...{ check: "/up", port: 8081, host: undefined, status: 200 },
  ...{ body: undefined, loadPort: 9100, loadPath: "/metrics" },
  loadMetrics: [],
};

/** An edge that answers a GET so after 20 ms; and what it was asked. */
function edge(answer: () => Response) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const asked: { readonly url: string; readonly options: FetchOptions }[] = [];
  const ctx = roleContext({
    clock,
    net: {
      async fetch(url, options = {}) {
        asked.push({ url, options });
        await clock.sleepUntil(clock.nowMs() + 20, options.signal);
        return answer();
      },
    },
  });
  const { signal } = stop;
  return { clock, ctx, asked, stop, signal };
}

async function outcomeOf(
  answer: () => Response,
  rules: Partial<WatchRules>,
): Promise<CheckOutcome> {
  const { clock, ctx, signal } = edge(answer);
  const checked = checkEdge(PLACE, { ...RULES, ...rules }, { ctx, signal });
  await clock.advanceTo(20);
  await clock.advanceTo(1000);
  return await checked;
}

/** A body that never ends, and whether anybody has let go of it. */
function endless(text: string) {
  const state = { isCancelled: false };
  const body = new ReadableStream<Uint8Array>({
    start: (stream) => stream.enqueue(new TextEncoder().encode(text)),
    cancel: () => void (state.isCancelled = true),
  });
  return { state, body };
}

for (
  const [status, rules, outcome] of [
    [200, {}, "answers with 200"],
    [503, {}, "its status is 503, not 200"],
    [200, { status: 204 }, "its status is 200, not 204"],
    [204, { status: 204 }, "answers with 204"],
  ] as const
) {
  Deno.test(`checkEdge says "${outcome}" of a status ${status}`, async () => {
    const checked = await outcomeOf(
      () => new Response(status === 204 ? null : "in service", { status }),
      rules,
    );
    assertEquals(checked.reason, outcome);
    assertEquals(checked.kind, /^answers/.test(outcome) ? "passed" : "missed");
    if (checked.kind === "passed") assertEquals(checked.roundTripMs, 20);
  });
}

for (
  const [text, kind] of [
    ["edge 3 is in service", "passed"],
    ["edge 3 is out of service", "missed"],
    // the first 64 KiB are looked through, and no longer body makes an edge bad
    [" ".repeat(65_526) + "in service" + " ".repeat(9), "passed"],
    [" ".repeat(65_527) + "in service", "missed"],
  ] as const
) {
  Deno.test(`checkEdge looks for a text in the first 64 KiB: ${text.length} bytes, ${kind}`, async () => {
    const rules = { body: "in service" };
    const checked = await outcomeOf(() => new Response(text), rules);
    assertEquals(checked.kind, kind, checked.reason);
  });
}

Deno.test("checkEdge reads no body unless it looks for something there, and not for longer than the check may take", async () => {
  const film = endless("moov");
  const unread = await outcomeOf(() => new Response(film.body), {});
  assertEquals([unread.kind, film.state.isCancelled], ["passed", true]);
  const slow = endless("in serv");
  const rules = { body: "in service", timeoutMs: 499.625 };
  const waited = await outcomeOf(() => new Response(slow.body), rules);
  assertEquals(waited, {
    kind: "missed",
    reason: "Cannot read the answer to a check: it did not end within 480 ms",
  });
  assert(slow.state.isCancelled);
});

Deno.test("checkEdge asks the edge itself, by the name that --health-host says", async () => {
  const { clock, ctx, asked, signal } = edge(() => new Response());
  const first = checkEdge(PLACE, RULES, { ctx, signal });
  await clock.advanceTo(20);
  const rules = { ...RULES, host: "video.kingcdn.example" };
  const second = checkEdge(PLACE, rules, { ctx, signal });
  await clock.advanceTo(40);
  await Promise.all([first, second]);
  assertEquals(
    asked.map(({ url, options }) => [url, options.connectTo]),
    [
      ["http://10.0.0.3:8081/up", undefined],
      ["http://video.kingcdn.example/up", PLACE],
    ],
  );
  assertEquals(asked.map(({ options }) => options.timeoutMs), [500, 500]);
});

Deno.test("checkEdge ends with its signal, and what is no failure of the edge is not taken for one", async () => {
  const { ctx, stop, signal } = edge(() => new Response());
  const stopped = checkEdge(PLACE, RULES, { ctx, signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => stopped, Error, "enough");
  const bug = edge(() => {
    throw new TypeError("a mistake of ours");
  });
  const checked = checkEdge(PLACE, RULES, bug);
  const seen = assertRejects(() => checked, TypeError);
  await bug.clock.advanceTo(20);
  await seen;
});

Deno.test("readMetrics wants a page with status 200", async () => {
  const of = async (answer: () => Response) => {
    const { clock, ctx, signal } = edge(answer);
    const read = readMetrics("http://10.0.0.3:9100/metrics", {
      ctx,
      signal,
      timeoutMs: 500,
    });
    read.catch(() => {});
    await clock.advanceTo(20);
    return await read;
  };
  assertEquals(await of(() => new Response("up 1\n")), "up 1\n");
  await assertRejects(
    () => of(() => new Response("up 1\n", { status: 404 })),
    RunError,
    "its status is 404, not 200",
  );
  // far beyond what any edge has to say
  const long = new Uint8Array(4 * 2 ** 20 + 1);
  await assertRejects(() => of(() => new Response(long)), RunError);
});
