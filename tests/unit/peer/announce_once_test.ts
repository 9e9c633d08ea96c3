import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { Net } from "../../../lib/io/net.ts";
import { announceOnce } from "../../../lib/peer/announce_once.ts";
import { announceOf } from "../../support/announce.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { roleContext } from "../../support/role_context.ts";

const REQUEST = announceOf();

/** Announces to a tracker whose answer has this body. */
function announce(body: BodyInit, clock: ManualClock) {
  const net = { fetch: () => Promise.resolve(new Response(body)) };
  return announceOnce("http://tracker.example/announce", REQUEST, {
    ctx: roleContext({ clock, net }),
    signal: new AbortController().signal,
  });
}

Deno.test("announceOnce reads a reply that comes in single bytes", async () => {
  const bytes = [...utf8("d8:intervali60e5:peers0:e")];
  const body = ReadableStream.from(bytes.map((byte) => Uint8Array.of(byte)));
  const reply = await announce(body, new ManualClock());
  assertEquals(reply.peers, []);
});

Deno.test("announceOnce names the tracker that cannot be reached, and not what was to be told to it", async () => {
  const net = {
    fetch: (url: string) =>
      Promise.reject(
        new RunError("fetch-failed", `Cannot fetch ${url}: nobody listens`),
      ),
  };
  const error = await assertRejects(
    () =>
      announceOnce("http://tracker.example/announce", REQUEST, {
        ctx: roleContext({ net }),
        signal: new AbortController().signal,
      }),
    RunError,
  );
  assertEquals(
    [error.code, error.message],
    [
      "fetch-failed",
      "Cannot fetch http://tracker.example/announce: nobody listens",
    ],
  );
});

Deno.test("announceOnce gives up a tracker whose answer never ends", async () => {
  const clock = new ManualClock();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await clock.sleepUntil(clock.nowMs() + 1000);
      controller.enqueue(utf8("d"));
    },
  });
  const failing = assertRejects(() => announce(body, clock), RunError);
  await clock.advanceTo(20_000);
  assertEquals((await failing).code, "timed-out");
});

Deno.test("announceOnce refuses an answer that is too long", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  const error = await assertRejects(
    () => announce(body, new ManualClock()),
    RunError,
  );
  assertEquals(error.code, "too-large");
});

Deno.test("announceOnce keeps no connection: the next announce would be lost with it when the tracker closes it", async () => {
  let sent: HeadersInit | undefined;
  const net: Pick<Net, "fetch"> = {
    fetch(_, options) {
      sent = options?.headers;
      return Promise.resolve(new Response("d8:intervali60e5:peers0:e"));
    },
  };
  await announceOnce("http://tracker.example/announce", REQUEST, {
    ctx: roleContext({ net }),
    signal: new AbortController().signal,
  });
  assertEquals(new Headers(sent).get("connection"), "close");
});

Deno.test("announceOnce goes where the tracker sends it, but not without end", async () => {
  const asked: string[] = [];
  const announceAt = (answer: (url: string) => Response) => {
    const net = {
      fetch: (url: string) => {
        asked.push(url.replace(/\?.*/, ""));
        return Promise.resolve(answer(url));
      },
    };
    return announceOnce("http://a.example/announce", REQUEST, {
      ctx: roleContext({ net }),
      signal: new AbortController().signal,
    });
  };
  const moved = (location: string) =>
    new Response(null, { status: 302, headers: { location } });
  const reply = await announceAt((url) =>
    url.startsWith("http://a.example/")
      ? moved("https://b.example/x")
      : new Response("d8:intervali60e5:peers0:e")
  );
  assertEquals(reply.intervalSeconds, 60);
  assertEquals(asked, ["http://a.example/announce", "https://b.example/x"]);
  asked.length = 0;
  for (const location of ["/announce", "ftp://b.example/", "http://[/"]) {
    const error = await assertRejects(
      () => announceAt(() => moved(location)),
      RunError,
    );
    assertEquals(error.code, "tracker-status");
  }
  assertEquals(asked.length, 6 + 1 + 1);
});

Deno.test("announceOnce asks a UDP tracker's other address when nobody answers at the first", async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const net: Partial<Net> = {
    resolve: () => Promise.resolve(["2001:db8::1", "10.0.0.1"]),
    listenUdp: ({ host, port }) => ({
      ...{ host, port },
      serve: () => Promise.reject(new Error("not used here")),
      send(_, to) {
        asked.push(`${host} ${to.host} ${clock.nowMs()}`);
        return to.host === "10.0.0.1"
          ? Promise.reject(new RunError("send-failed", "unreachable"))
          : Promise.resolve();
      },
      // deno-lint-ignore require-yield -- nobody ever sends anything
      async *receive(signal: AbortSignal): AsyncGenerator<never> {
        await clock.sleepUntil(Infinity, signal).catch(() => {});
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
  const announced = announceOnce("udp://tracker.example:6969/x", REQUEST, {
    ctx: roleContext({ clock, net, rng: () => 0.5 }),
    signal: new AbortController().signal,
  });
  const failed = assertRejects(() => announced, RunError);
  for (let seconds = 1; seconds <= 50; seconds++) {
    await clock.advanceTo(seconds * 1000);
  }
  assertEquals((await failed).code, "send-failed");
  assertEquals(asked, [
    ":: 2001:db8::1 0",
    ":: 2001:db8::1 15000",
    "0.0.0.0 10.0.0.1 45000",
  ]);
});
