/** Parts of what is too large to keep whole (RFC 9111 §3.3, §3.4). */
import { assertEquals, assertMatch } from "@std/assert";
import type { ClientRequest } from "../../../../lib/io/http1/client.ts";
import { edgeOf } from "./_edge.ts";

const SIZE = 600;
const ALL = Array.from(
  { length: SIZE },
  (_, at) => String.fromCharCode(97 + at % 26),
)
  .join("");
const ETAG = '"v1"';

/** An origin that knows ranges, and its text, which is more than half the cache. */
function origin(options: { etag?: string } = {}) {
  const state = { etag: options.etag ?? ETAG, ranges: [] as (string | null)[] };
  const answer = (_: string, request: ClientRequest) => {
    const sent = new Headers([...request.headers].map(([n, v]) => [n, v]));
    const asked = sent.get("range");
    state.ranges.push(asked);
    const headers: Record<string, string> = {
      "cache-control": "max-age=60",
      "content-length": String(SIZE),
    };
    if (state.etag !== "") headers["etag"] = state.etag;
    const match = /^bytes=(\d+)-(\d*)$/.exec(asked ?? "");
    const ifRange = sent.get("if-range");
    if (match === null || (ifRange !== null && ifRange !== state.etag)) {
      return new Response(ALL, { headers });
    }
    const first = Number(match[1]);
    const last = match[2] === "" ? SIZE - 1 : Number(match[2]);
    const text = ALL.slice(first, last + 1);
    headers["content-length"] = String(text.length);
    headers["content-range"] = `bytes ${first}-${last}/${SIZE}`;
    return new Response(text, { status: 206, headers });
  };
  return { state, answer };
}

const range = (value: string) => ({ headers: { range: `bytes=${value}` } });

/** An edge that has learnt that the origin's object is too large: half of its memory is less than SIZE. */
async function small() {
  const { state, answer } = origin();
  const edge = edgeOf(answer, ["http://a.test"], { cacheBytes: 2 * SIZE - 2 });
  assertEquals((await edge.ask("/")).text, ALL);
  state.ranges.length = 0;
  return { state, ...edge };
}

Deno.test("Edge forwards ranges of what is too large, keeps the parts, and answers from them", async () => {
  const { state, ask } = await small();
  const first = await ask("/", range("0-9"));
  assertEquals([first.status, first.text], [206, ALL.slice(0, 10)]);
  assertMatch(first.headers.get("cache-status")!, /^e; fwd=bypass; stored/);
  await ask("/", range("10-19"));
  assertEquals(state.ranges, ["bytes=0-9", "bytes=10-19"]);
  const both = await ask("/", range("5-14"));
  assertEquals([both.status, both.text], [206, ALL.slice(5, 15)]);
  assertMatch(both.headers.get("cache-status")!, /^e; hit; ttl=/);
  assertEquals(both.headers.get("content-range"), `bytes 5-14/${SIZE}`);
  const several = await ask("/", range("0-1, 18-19"));
  assertMatch(several.headers.get("content-type")!, /^multipart\/byteranges/);
  assertEquals((await ask("/", range(`${SIZE}-`))).status, 416);
  assertEquals(state.ranges.length, 2);
  const beyond = await ask("/", range("15-24"));
  assertEquals(beyond.text, ALL.slice(15, 25));
  assertMatch(beyond.headers.get("cache-status")!, /^e; fwd=partial; stored/);
  assertEquals(state.ranges.length, 3);
});

Deno.test("Edge puts no parts of two versions together, and answers If-Range of another one anew", async () => {
  const { state, ask } = await small();
  await ask("/", range("0-9"));
  state.etag = '"v2"';
  await ask("/", range("10-19"));
  assertEquals((await ask("/", range("0-4"))).text, ALL.slice(0, 5));
  assertEquals(state.ranges.length, 3);
  const old = { range: "bytes=10-11", "if-range": ETAG };
  const whole = await ask("/", { headers: old });
  assertEquals([whole.status, whole.text], [200, ALL]);
});

Deno.test("Edge puts nothing together that has only a weak validator", async () => {
  const { state, ask } = await small();
  state.etag = 'W/"v1"';
  await ask("/", range("0-9"));
  await ask("/", range("10-19"));
  await ask("/", range("0-9"));
  assertEquals(state.ranges.length, 3);
});

Deno.test("Edge completes what it has of a small object, and keeps the whole", async () => {
  const { state, answer } = origin();
  let forced = true;
  const edge = edgeOf((url, request) => {
    if (!forced) return answer(url, request);
    // An origin that gives a part although it was asked for the whole.
    forced = false;
    const headers = {
      "cache-control": "max-age=60",
      "content-range": `bytes 0-99/${SIZE}`,
      "content-length": "100",
      etag: ETAG,
    };
    return new Response(ALL.slice(0, 100), { status: 206, headers });
  }, ["http://a.test"]);
  assertEquals((await edge.ask("/", range("0-99"))).status, 206);
  const whole = await edge.ask("/");
  assertEquals([whole.status, whole.text], [200, ALL]);
  assertEquals(state.ranges, ["bytes=100-"]);
  assertMatch(
    whole.headers.get("cache-status")!,
    /^e; fwd=partial; fwd-status=206; stored/,
  );
  const hit = await edge.ask("/", range("50-149"));
  assertEquals(hit.text, ALL.slice(50, 150));
  assertEquals(edge.asked.length, 2);
});

Deno.test("Edge fetches all anew when the rest is of another version", async () => {
  const { state, answer } = origin({ etag: '"v2"' });
  let forced = true;
  const edge = edgeOf((url, request) => {
    if (!forced) return answer(url, request);
    forced = false;
    const headers = {
      "cache-control": "max-age=60",
      "content-range": `bytes 0-99/${SIZE}`,
      "content-length": "100",
    };
    return new Response("?".repeat(100), { status: 206, headers });
  }, ["http://a.test"]);
  await edge.ask("/", range("0-99"));
  const whole = await edge.ask("/");
  assertEquals([whole.status, whole.text], [200, ALL]);
  assertEquals(state.ranges, ["bytes=100-", null]);
});
