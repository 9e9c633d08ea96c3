import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import type { RolecallEvent } from "../../../../lib/events/mod.ts";
import { keyOwner } from "../../../../lib/http/cache/key_owner.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { denoClock } from "../../../../lib/io/deno/clock.ts";
import type {
  BodySource,
  HttpHandler,
  HttpRequest,
} from "../../../../lib/io/http.ts";
import { WorkerLink } from "../../../../roles/edge/workers/link.ts";
import {
  gaugesOfAll,
  WorkerEvents,
} from "../../../../roles/edge/workers/sums.ts";
import { eventually } from "../../../support/eventually.ts";

/** A request whose client can be made to go. */
function requestOf(given: Partial<HttpRequest> = {}) {
  const gone = new AbortController();
  const informed: number[] = [];
  const request: HttpRequest = {
    method: "GET",
    target: "/film?a=b",
    authority: "edge.test",
    protocol: "HTTP/1.1",
    headers: new Fields([["accept", "*/*"], ["x-empty", ""]]),
    remote: { host: "192.0.2.7", port: 4321 },
    body: null,
    signal: gone.signal,
    inform: (status) => void informed.push(status),
    ...given,
  };
  return { request, gone, informed };
}

/** A link whose other end answers with `handle`. */
function linked(
  handle: HttpHandler,
  call: (call: unknown) => unknown = () => {},
) {
  const { port1, port2 } = new MessageChannel();
  const asking = new WorkerLink(port1, {
    handle: () => ({ status: 500, headers: new Fields(), body: null }),
    call: () => {},
  }, denoClock);
  const owning = new WorkerLink(port2, { handle, call }, denoClock);
  return {
    asking,
    [Symbol.dispose]() {
      asking[Symbol.dispose]();
      owning[Symbol.dispose]();
    },
  };
}

async function bytesOf(body: Uint8Array | BodySource | null) {
  if (body === null || body instanceof Uint8Array) return body;
  const pieces: number[] = [];
  for (
    let piece = await body.next(65_536);
    piece !== null;
    piece = await body.next(65_536)
  ) pieces.push(...piece);
  return Uint8Array.from(pieces);
}

Deno.test("WorkerLink carries request, interim answer and answer", async () => {
  let seen: HttpRequest | undefined;
  using link = linked((request) => {
    seen = request;
    request.inform?.(103, new Fields([["link", "</a>"]]));
    return {
      status: 206,
      headers: new Fields([["via", "1.1 e"], ["set-cookie", "a"], [
        "set-cookie",
        "b",
      ]]),
      body: utf8("xxpartxx").subarray(2, 6),
    };
  });
  const { request, informed } = requestOf();
  const { status, headers, body } = await link.asking.ask(request);
  assertEquals([status, fromUtf8(body as Uint8Array)], [206, "part"]);
  assertEquals([...headers], [
    ["via", "1.1 e"],
    ["set-cookie", "a"],
    ["set-cookie", "b"],
  ]);
  assertEquals(informed, [103]);
  const { method, target, authority, protocol, remote } = seen!;
  assertEquals(
    { method, target, authority, protocol, remote },
    {
      method: "GET",
      target: "/film?a=b",
      authority: "edge.test",
      protocol: "HTTP/1.1",
      remote: { host: "192.0.2.7", port: 4321 },
    },
  );
  assertEquals([...seen!.headers], [["accept", "*/*"], ["x-empty", ""]]);
});

Deno.test("WorkerLink runs at most two pieces ahead of a client, and stops when it leaves", async () => {
  let asked = 0;
  let left = 0;
  using link = linked(() => ({
    status: 200,
    headers: new Fields(),
    body: {
      next: () => Promise.resolve(new Uint8Array(10).fill(++asked)),
      leave: () => void (left += 1),
    },
  }));
  const { body } = await link.asking.ask(requestOf().request);
  const source = body as BodySource;
  const settle = () => new Promise((done) => setTimeout(done, 30));
  const untilAsked = (times: number) =>
    eventually(() => asked >= times, { account: () => `${asked}`, pauseMs: 1 });
  await untilAsked(2);
  await settle();
  assertEquals(asked, 2);
  for (let n = 1; n <= 5; n++) assertEquals((await source.next(99))![0], n);
  await untilAsked(7);
  await settle();
  assertEquals(asked, 7);
  source.leave();
  await eventually(() => left > 0, { account: () => "nobody left" });
  assertEquals([asked, left], [7, 1]);
});

Deno.test("WorkerLink gives large bodies whole, piece by piece", async () => {
  const bytes = new Uint8Array(200_001).map((_, at) => at * 7);
  using link = linked(() => ({
    status: 200,
    headers: new Fields(),
    body: bytes,
  }));
  const { body } = await link.asking.ask(requestOf().request);
  assertEquals((body as BodySource).lengthBytes, bytes.length);
  assertEquals(await bytesOf(body), bytes);
});

Deno.test("WorkerLink passes a request's body on, and that it broke off", async () => {
  using link = linked(async ({ body }) => {
    const text = await new Response(body).text().catch(() => "broken");
    return { status: 200, headers: new Fields(), body: utf8(text) };
  });
  const ask = async (body: ReadableStream<Uint8Array>) =>
    fromUtf8(
      (await bytesOf(
        (await link.asking.ask(requestOf({ method: "POST", body }).request))
          .body,
      ))!,
    );
  const parts = ["one ", "two ", "three"].map(utf8);
  assertEquals(await ask(ReadableStream.from(parts)), "one two three");
  const breaking = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new TypeError("gone")),
  });
  assertEquals(await ask(breaking), "broken");
});

Deno.test("WorkerLink tells who watches that the client has gone, and breaks off what breaks off", async () => {
  const heard = Promise.withResolvers<void>();
  using link = linked((request) => {
    if (request.target === "/throws") throw new TypeError("a bug");
    request.signal.addEventListener("abort", () => heard.resolve());
    return {
      status: 200,
      headers: new Fields(),
      body: {
        next: async () => {
          await heard.promise;
          throw new RunError("body-cut-short", "cut");
        },
        leave() {},
      },
    };
  });
  const never = requestOf({ target: "/throws" });
  await assertRejects(() => link.asking.ask(never.request), RunError);
  const { request, gone } = requestOf();
  // The client goes before the answer is there.
  const asking = link.asking.ask(request);
  gone.abort();
  const { body } = await asking;
  await assertRejects(() => (body as BodySource).next(1), RunError);
});

Deno.test("WorkerLink that ends lets nobody wait", async () => {
  const link = linked(() => new Promise(() => {}), (call) => [call, "done"]);
  assertEquals(await link.asking.call({ kind: "look" }), [
    { kind: "look" },
    "done",
  ]);
  const waiting = link.asking.ask(requestOf().request);
  const calling = link.asking.call({ kind: "look" });
  link[Symbol.dispose]();
  await assertRejects(() => waiting, RunError);
  await assertRejects(() => calling, RunError);
  await assertRejects(() => link.asking.ask(requestOf().request), RunError);
});

Deno.test("keyOwner gives every part about as many targets, and each always the same", () => {
  for (const parts of [2, 3, 8, 32]) {
    const counts = new Array<number>(parts).fill(0);
    for (let n = 0; n < 20_000; n++) {
      const target = `/film/video_720_${n}.m4s`;
      const owner = keyOwner(target, parts);
      assertEquals(owner, keyOwner(target, parts));
      counts[owner]! += 1;
    }
    const fair = 20_000 / parts;
    for (const count of counts) {
      assert(Math.abs(count - fair) < 0.15 * fair, counts.join());
    }
  }
});

Deno.test("WorkerEvents tells of an origin once, and of the disk when all have looked", () => {
  const told: RolecallEvent[] = [];
  const events = new WorkerEvents(2, (event) => void told.push(event));
  const origin = "http://a.test";
  const suspended = { type: "upstream.suspended", origin } as const;
  const restored = {
    type: "upstream.restored",
    origin,
    suspendedMs: 5,
  } as const;
  const checked = {
    type: "upstream.checked",
    origin,
    healthy: true,
    status: 200,
    durationMs: 1,
  } as const;
  const disk = {
    type: "cache.restored",
    objects: 2,
    bytes: 20,
    removed: 1,
  } as const;
  const lagged = { type: "upstream.lagged", origin, lagMs: 9000 } as const;
  const said: (readonly [number, RolecallEvent])[] = [
    [0, { ...disk, durationMs: 7 }],
    [1, { ...disk, durationMs: 9 }],
    [0, checked],
    [1, checked],
    [1, suspended],
    [0, suspended],
    [1, restored],
    [0, restored],
    [1, lagged],
    [0, { ...lagged, lagMs: 8000 }],
  ];
  for (const [index, event] of said) events.heard(index, event);
  assertEquals(told, [
    {
      type: "cache.restored",
      objects: 4,
      bytes: 40,
      removed: 2,
      durationMs: 9,
    },
    checked,
    suspended,
    restored,
    lagged,
  ]);
});

Deno.test("gaugesOfAll adds, and an origin is up where all say so", () => {
  const one = {
    objects: 1,
    usedBytes: 10,
    capacityBytes: 100,
    evictions: 2,
    disk: { objects: 3, usedBytes: 30, capacityBytes: 300, evictions: 0 },
    origins: [{ origin: "http://a.test", up: true, active: 1, waiting: 0 }],
  };
  const other = {
    ...one,
    origins: [{ origin: "http://a.test", up: false, active: 2, waiting: 3 }],
  };
  assertEquals(gaugesOfAll([one, other]), {
    objects: 2,
    usedBytes: 20,
    capacityBytes: 200,
    evictions: 4,
    disk: { objects: 6, usedBytes: 60, capacityBytes: 600, evictions: 0 },
    origins: [{ origin: "http://a.test", up: false, active: 3, waiting: 3 }],
  });
});
