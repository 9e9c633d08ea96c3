import { assert, assertEquals } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import type { Address, UdpSocket } from "../../../lib/io/net.ts";
import { serveUdpEcho } from "../../../roles/udp_echo/server.ts";
import { roleContext } from "../../support/role_context.ts";

const FROM: Address = { host: "192.0.2.1", port: 4711 };
const FLAGS = { host: "", port: 0, loss: 0, delay: 0, faithful: false };

/** Serves `questions` on a socket that only remembers, at a time the test moves. */
function serve(
  questions: readonly Uint8Array[],
  { flags = {}, rng = () => 0.5 }: {
    readonly flags?: Partial<typeof FLAGS>;
    readonly rng?: () => number;
  } = {},
) {
  const stop = new AbortController();
  const sent: { atMs: number; bytes: Uint8Array; to: Address }[] = [];
  const socket: UdpSocket = {
    host: "::",
    port: 12000,
    async *receive(signal) {
      for (const bytes of questions) yield { bytes, ...FROM };
      await new Promise((wake) => signal.addEventListener("abort", wake));
    },
    send(bytes, to) {
      sent.push({ atMs: clock.nowMs(), bytes, to });
      return Promise.resolve();
    },
    serve: () => Promise.reject(new Error("not used here")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const ctx = roleContext({
    ...{ rng, signal: stop.signal },
    net: { listenUdp: () => socket },
  });
  const { clock, events } = ctx;
  const running = serveUdpEcho({ ...FLAGS, ...flags }, ctx);
  return {
    clock,
    events,
    sent,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

Deno.test("serveUdpEcho sends each answer to whoever asked, and tells it", async () => {
  const server = serve([utf8("γειά"), utf8("")]);
  await server.clock.advanceTo(1);
  assertEquals(server.sent.map(({ bytes }) => fromUtf8(bytes)), ["ΓΕΙΆ", ""]);
  assert(server.sent.every(({ to }) => to.port === FROM.port));
  assertEquals(server.events.map(({ type }) => type), [
    "role.listening",
    "echo.answered",
    "echo.answered",
  ]);
  await server.stop();
});

Deno.test("serveUdpEcho holds answers back for the delay, and sends none after it was stopped", async () => {
  const server = serve([utf8("a"), utf8("b")], { flags: { delay: 50 } });
  await server.clock.advanceTo(49);
  assertEquals(server.sent.length, 0);
  await server.clock.advanceTo(50);
  assertEquals(
    server.sent.map(({ atMs, bytes }) => [atMs, fromUtf8(bytes)]),
    [[50, "A"], [50, "B"]],
  );
  await server.stop();

  const stopped = serve([utf8("a")], { flags: { delay: 50 } });
  await stopped.clock.advanceTo(49);
  await stopped.stop();
  assertEquals(stopped.sent.length, 0);
});

Deno.test("serveUdpEcho drops answers rather than let them fill the memory", async () => {
  const large = new Uint8Array(65_507).fill(0x61);
  const questions = Array.from({ length: 400 }, () => large);
  const server = serve(questions, { flags: { delay: 10_000 } });
  await server.clock.advanceTo(10_000);
  await server.clock.advanceTo(11_000);
  const told = server.events.reduce((dropped, event) => {
    if (event.type === "echo.dropped") {
      assertEquals(event.reason, "queue-full");
      return dropped + 1;
    }
    return dropped + (event.type === "echo.summarized" ? event.dropped : 0);
  }, 0);
  assert(server.sent.length > 200 && server.sent.length < 300);
  assertEquals(told, 400 - server.sent.length);
  await server.stop();
});

Deno.test("serveUdpEcho loses a datagram when the lot falls below --loss", async () => {
  const lots = [0.29, 0.3, 0.9, 0];
  const server = serve(["a", "b", "c", "d"].map((text) => utf8(text)), {
    flags: { loss: 0.3 },
    rng: () => lots.shift()!,
  });
  await server.clock.advanceTo(1);
  assertEquals(server.sent.map(({ bytes }) => fromUtf8(bytes)), ["B", "C"]);
  assertEquals(lots, []);
  await server.stop();
});
