import { assert, assertEquals } from "@std/assert";
import { HttpCache } from "../../../../lib/http/cache/cache.ts";
import type { Lookup } from "../../../../lib/http/cache/lookup.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import type { Flight } from "../../../../lib/http/cache/flights.ts";
import type { CacheRequest } from "../../../../lib/http/cache/stored_response.ts";

const WALL = Date.UTC(2026, 10, 23);

function request(
  key: string,
  fields: Record<string, string> = {},
  method = "GET",
): CacheRequest {
  return { method, key, fields: new Fields(Object.entries(fields)) };
}

function head(fields: Record<string, string>, nowMs: number, status = 200) {
  return {
    status,
    fields: new Fields(Object.entries(fields)),
    requestAtMs: nowMs,
    responseAtMs: nowMs,
    responseWallMs: WALL + nowMs,
  };
}

/** A cache with helpers: `get` looks up, `put` stores a complete response of `text`. */
function cacheOf(capacityBytes = 100_000) {
  const cache = new HttpCache({ capacityBytes });
  const get = (what: CacheRequest, nowMs = 0, mayJoin = true): Lookup =>
    cache.lookup(what, { nowMs, mayJoin });
  const put = (
    what: CacheRequest,
    fields: Record<string, string>,
    options: { nowMs?: number; text?: string; flight?: Flight } = {},
  ) => {
    const body = new TextEncoder().encode(options.text ?? "body");
    const { stored, reason } = cache.store(
      what,
      head(fields, options.nowMs ?? 0),
      { bodyBytes: body.length, flight: options.flight },
    );
    if (stored !== undefined) {
      stored.body.append(body);
      stored.body.finish();
      cache.tiers.completed(stored);
    }
    return reason;
  };
  return { cache, get, put };
}

Deno.test("HttpCache misses, hits while fresh, revalidates with the validators when not", () => {
  const { get, put, cache } = cacheOf();
  const miss = get(request("/a"));
  assert(miss.kind === "fetch" && miss.flight !== undefined);
  assertEquals(miss.reason, "uri-miss");
  put(request("/a"), {
    "cache-control": "max-age=10",
    etag: '"1"',
    "last-modified": "Sun, 22 Nov 2026 00:00:00 GMT",
  }, { flight: miss.flight! });
  const hit = get(request("/a"), 9_999);
  assert(hit.kind === "hit");
  assertEquals(hit.reuse.ageMs, 9_999);
  assertEquals(get(request("/a", {}, "HEAD"), 9_999).kind, "hit");
  const old = get(request("/a"), 10_000);
  assert(old.kind === "revalidate");
  assertEquals(old.conditions, [
    ["if-none-match", '"1"'],
    ["if-modified-since", "Sun, 22 Nov 2026 00:00:00 GMT"],
  ]);
  const { fresh } = cache.refresh(
    old.stored,
    head(
      { "cache-control": "max-age=50", "x-new": "1", etag: '"2"' },
      10_000,
      304,
    ),
    { request: request("/a"), flight: old.flight },
  );
  assertEquals(fresh.fields.get("x-new"), "1");
  assertEquals(fresh.fields.get("etag"), '"1"');
  assertEquals(get(request("/a"), 59_000).kind, "hit");
  assertEquals(cache.tiers.stats().objects, 1);
});

Deno.test("HttpCache lets 200 requests share one fetch, also one that is still filling", async () => {
  const { get, cache } = cacheOf();
  const first = get(request("/a"));
  assert(first.kind === "fetch");
  const flights = new Set<Flight>();
  for (let n = 1; n < 200; n++) {
    const joined = get(request("/a"));
    assert(joined.kind === "join");
    flights.add(joined.flight);
  }
  assertEquals([...flights], [first.flight!]);
  const { stored } = cache.store(
    request("/a"),
    head({ "cache-control": "max-age=9" }, 0),
    { bodyBytes: undefined, flight: first.flight },
  );
  assertEquals((await first.flight!.settled).kind, "look-again");
  const filling = get(request("/a"));
  assert(filling.kind === "hit" && filling.stored === stored);
  stored!.body.fail(new Error("cut"));
  cache.tiers.dropped(stored!);
  assertEquals(get(request("/a")).kind, "fetch");
});

Deno.test("HttpCache makes nobody wait for what cannot be shared", async () => {
  const { get, put } = cacheOf();
  const first = get(request("/a"));
  assert(first.kind === "fetch");
  const reason = put(request("/a"), { "cache-control": "no-store" }, {
    flight: first.flight!,
  });
  assertEquals(reason, "no-store");
  assertEquals(await first.flight!.settled, { kind: "unshared" });
  for (let n = 0; n < 2; n++) {
    const alone = get(request("/a"), 100);
    assert(alone.kind === "fetch" && alone.flight === undefined);
  }
  // After a while it is tried again.
  const later = get(request("/a"), 60_000);
  assert(later.kind === "fetch" && later.flight !== undefined);
});

Deno.test("HttpCache lets others wait for what could not be had a moment ago", async () => {
  const { cache, get } = cacheOf();
  const early = get(request("/a"));
  assert(early.kind === "fetch" && early.flight !== undefined);
  const { flight } = early;
  const refused = head({ "cache-control": "no-store" }, 0, 404);
  cache.store(request("/a"), refused, { bodyBytes: 9, flight });
  assertEquals(await flight.settled, { kind: "unshared" });
  const first = get(request("/a"), 100);
  assert(first.kind === "fetch" && first.flight !== undefined);
  assertEquals(get(request("/a"), 100).kind, "join");
});

Deno.test("HttpCache lets others wait, whoever asked before for an answer that could not be theirs", async () => {
  const fresh = { "cache-control": "max-age=9" };
  const one = request("/a");
  const sharesNothing: [Record<string, string>, string, string][] = [
    [{}, "HEAD", "method"],
    [{ "cache-control": "no-store" }, "GET", "request-no-store"],
    [{ authorization: "Basic eA==" }, "GET", "authorization"],
  ];
  for (const [fields, method, why] of sharesNothing) {
    const { get, put } = cacheOf();
    const before = request("/a", fields, method);
    const asked = get(before);
    assert(asked.kind === "fetch");
    const { flight } = asked;
    assertEquals(flight === undefined, why !== "authorization");
    // Who waited for somebody else's answer is not sent off with all the others.
    assertEquals(get(one).kind, flight === undefined ? "fetch" : "join");
    assertEquals(
      put(before, fresh, flight === undefined ? {} : { flight }),
      why,
    );
    if (flight !== undefined) {
      assertEquals((await flight.settled).kind, "look-again");
      assertEquals(get(one).kind, "fetch");
    }
    assertEquals([get(one).kind, get(one).kind], ["join", "join"]);
  }
});

Deno.test("HttpCache lets those who ask by name wait for each other once, also for what is an error", async () => {
  const named = request("/a", { authorization: "Basic eA==" });
  for (const status of [200, 401, 500]) {
    const { cache, get } = cacheOf();
    const first = get(named);
    assert(first.kind === "fetch" && first.flight !== undefined);
    assertEquals(get(named).kind, "join");
    const { flight } = first;
    const own = head({ "cache-control": "private" }, 0, status);
    cache.store(named, own, { bodyBytes: 9, flight });
    assertEquals((await flight.settled).kind, "look-again");
    for (let n = 0; n < 2; n++) {
      const alone = get(named);
      assert(alone.kind === "fetch" && alone.flight === undefined);
    }
  }
});

Deno.test("HttpCache lets nobody wait for a check whose answer is not to be stored", () => {
  const { get, put } = cacheOf();
  put(request("/a"), { "cache-control": "max-age=1", etag: '"1"' });
  const unstored = request("/a", { "cache-control": "no-store" });
  const check = get(unstored, 5000);
  assert(check.kind === "revalidate" && check.flight === undefined);
  const next = get(request("/a"), 5000);
  assert(next.kind === "revalidate" && next.flight !== undefined);
});

Deno.test("HttpCache keeps variants apart, and fetches one of each", () => {
  const { get, put } = cacheOf();
  const fields = { "cache-control": "max-age=9", vary: "Accept-Language" };
  const english = request("/a", { "accept-language": "en" });
  const german = request("/a", { "accept-language": "de" });
  put(english, fields, { text: "hello" });
  const miss = get(german);
  assert(miss.kind === "fetch");
  assertEquals(miss.reason, "vary-miss");
  assertEquals(get(german).kind, "join");
  const french = request("/a", { "accept-language": "fr" });
  assertEquals(get(french).kind, "fetch");
  put(german, fields, { text: "hallo", flight: miss.flight! });
  for (const [what, text] of [[english, "hello"], [german, "hallo"]] as const) {
    const hit = get(what);
    assert(hit.kind === "hit");
    assertEquals(new TextDecoder().decode(hit.stored.body.bytes), text);
  }
});

Deno.test("HttpCache serves stale while one request revalidates", () => {
  const { get, put, cache } = cacheOf();
  put(request("/a"), {
    "cache-control": "max-age=1, stale-while-revalidate=9",
    etag: '"1"',
  });
  const first = get(request("/a"), 2_000);
  assert(first.kind === "hit" && first.flight !== undefined);
  const second = get(request("/a"), 2_000);
  assert(second.kind === "hit" && second.flight === undefined);
  cache.settle(first.flight, { kind: "unshared" });
  assertEquals(get(request("/a"), 20_000).kind, "revalidate");
});

Deno.test("HttpCache heeds only-if-cached, no-cache, no-store of a request", () => {
  const { get, put } = cacheOf();
  const only = { "cache-control": "only-if-cached" };
  assertEquals(get(request("/a", only)).kind, "not-cached");
  put(request("/a"), { "cache-control": "max-age=9", etag: '"1"' });
  assertEquals(get(request("/a", only)).kind, "hit");
  const checked = get(request("/a", { "cache-control": "no-cache" }));
  assert(checked.kind === "revalidate" && checked.flight === undefined);
  assertEquals(checked.reason, "request");
  const alone = get(request("/b", { "cache-control": "no-store" }));
  assert(alone.kind === "fetch" && alone.flight === undefined);
});

Deno.test("HttpCache forgets on invalidation and when a newer answer may not be stored", () => {
  const { get, put, cache } = cacheOf();
  put(request("/a"), { "cache-control": "max-age=9" });
  assertEquals(cache.tiers.forgetAll("/a"), 1);
  assertEquals(cache.tiers.forgetAll("/a"), 0);
  assertEquals(get(request("/a"), 0, false).kind, "fetch");
  put(request("/a"), { "cache-control": "max-age=9" });
  put(request("/a"), { "cache-control": "no-store" });
  assertEquals(get(request("/a"), 0, false).kind, "fetch");
  assertEquals(cache.tiers.stats(), {
    objects: 0,
    usedBytes: 0,
    evictions: 0,
    disk: undefined,
  });
});

Deno.test("HttpCache keeps what a 304 refreshes only if an answer with those fields may be kept", async () => {
  const named = { authorization: "Basic eA==" };
  type Lines = Record<string, string>;
  const cases: [Lines, Lines, string][] = [
    [{ "cache-control": "max-age=60" }, {}, "hit"],
    [{ "cache-control": "private, max-age=60" }, {}, "fetch"],
    [{ "cache-control": "no-store" }, {}, "fetch"],
    [{ vary: "*" }, {}, "fetch"],
    // RFC 9111 §3.5: not for everybody because it is for one; what was there is as stale as before.
    [{ "cache-control": "max-age=60" }, named, "revalidate"],
    [{ "cache-control": "public, max-age=60" }, named, "hit"],
  ];
  for (const [fields, who, kind] of cases) {
    const { get, put, cache } = cacheOf();
    put(request("/a"), { "cache-control": "max-age=1", etag: '"1"' });
    const asker = request("/a", who);
    const check = get(asker, 5000);
    assert(check.kind === "revalidate" && check.flight !== undefined);
    const { flight } = check;
    const answer = head({ etag: '"1"', ...fields }, 5000, 304);
    const options = { request: asker, flight };
    const { isKept } = cache.refresh(check.stored, answer, options);
    assertEquals(isKept, kind === "hit");
    assertEquals(get(request("/a"), 5000).kind, kind, JSON.stringify(fields));
    const { kind: outcome } = await flight.settled;
    assertEquals(outcome, kind === "fetch" ? "unshared" : "look-again");
  }
});

Deno.test("HttpCache forgets what an answer replaces that is not kept, but not for an error of a moment", () => {
  const cases: [number, Record<string, string>, boolean][] = [
    [200, {}, false],
    [200, { vary: "*", etag: '"2"' }, false],
    [302, {}, false],
    [404, {}, false],
    [410, {}, false],
    [403, {}, true],
    [429, {}, true],
    [500, {}, true],
    [503, { "cache-control": "max-age=0" }, true],
  ];
  for (const [status, fields, isThere] of cases) {
    const { get, put, cache } = cacheOf();
    put(request("/a"), { "cache-control": "max-age=1", etag: '"1"' });
    const check = get(request("/a"), 5000);
    assert(check.kind === "revalidate");
    const { flight } = check;
    const answer = head(fields, 5000, status);
    const { stored } = cache.store(request("/a"), answer, {
      bodyBytes: 4,
      flight,
    });
    assertEquals(stored, undefined);
    const found = cache.peek(request("/a")) !== undefined;
    assertEquals(found, isThere, `${status} ${JSON.stringify(fields)}`);
  }
});

Deno.test("HttpCache stays within its budget and refuses what is too large", () => {
  const { get, put, cache } = cacheOf(10_000);
  const fields = { "cache-control": "max-age=9" };
  assertEquals(
    put(request("/big"), fields, { text: "x".repeat(5001) }),
    "too-large",
  );
  for (let n = 0; n < 50; n++) {
    put(request(`/${n}`), fields, { text: "x".repeat(1000) });
    assert(cache.tiers.stats().usedBytes <= 10_000);
  }
  assert(cache.tiers.stats().evictions > 0);
  assertEquals(get(request("/49")).kind, "hit");
  assertEquals(get(request("/48"), 0, false).kind, "fetch");
});

Deno.test("HttpCache does not begin to keep more than fits while bodies grow", () => {
  // An entry costs about 530 bytes beside its body.
  const { cache } = cacheOf(3000);
  const begin = (key: string, bodyBytes?: number) =>
    cache.store(request(key), head({ "cache-control": "max-age=60" }, 0), {
      bodyBytes,
      flight: undefined,
    });
  const first = begin("/1", 500).stored!;
  const second = begin("/2").stored!;
  assert(begin("/3", 500).stored !== undefined);
  assertEquals(begin("/4", 1).reason, "busy");
  assertEquals(cache.tiers.mayGrow(second), true);
  assert(cache.tiers.stats().usedBytes <= 3000);
  second.body.append(new Uint8Array(500));
  assertEquals(cache.tiers.mayGrow(second), false);
  cache.tiers.dropped(second);
  first.body.fail(new Error("gone"));
  cache.tiers.dropped(first);
  assert(begin("/4", 1).stored !== undefined);
});

Deno.test("HttpCache keeps what fills, however much comes and goes meanwhile", () => {
  const { cache, get, put } = cacheOf(10_000);
  const fields = { "cache-control": "max-age=9" };
  const { stored } = cache.store(request("/slow"), head(fields, 0), {
    bodyBytes: 3000,
    flight: undefined,
  });
  for (let n = 0; n < 200; n++) {
    put(request(`/${n}`), fields, { text: "x".repeat(1000) });
  }
  assertEquals(get(request("/slow")).kind, "hit");
  assert(cache.tiers.stats().usedBytes <= 10_000);
  stored!.body.append(new Uint8Array(3000));
  stored!.body.finish();
  cache.tiers.completed(stored!);
  assertEquals(get(request("/slow")).kind, "hit");
  // Complete and wanted once, it is as good as any other.
  for (let n = 0; n < 200; n++) {
    put(request(`/more${n}`), fields, { text: "x".repeat(1000) });
    get(request(`/more${n % 9}`));
  }
  assertEquals(get(request("/slow")).kind, "fetch");
});

Deno.test("HttpCache gives those who waited what was brought, though it left the memory at once, but not to another variant", () => {
  const { cache, get, put } = cacheOf();
  const asked = request("/a", { "accept-language": "de" });
  const { flight } = get(asked) as Extract<Lookup, { kind: "fetch" }>;
  put(asked, { "cache-control": "max-age=9", vary: "accept-language" }, {
    flight: flight!,
  });
  const stored = cache.peek(asked)!;
  cache.tiers.remove(stored);
  const again = (what: CacheRequest) =>
    cache.lookup(what, { nowMs: 0, mayJoin: true, brought: stored }).kind;
  assertEquals(again(asked), "hit");
  assertEquals(again(request("/a", { "accept-language": "fr" })), "fetch");
  assertEquals(again(request("/b", { "accept-language": "de" })), "fetch");
});
