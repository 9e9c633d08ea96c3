import { assertEquals } from "@std/assert";
import { parseName } from "../../../../lib/dns/name.ts";
import { frameMessage } from "../../../../lib/dns/stream.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import type { TcpConnection, TcpListener } from "../../../../lib/io/net.ts";
import { QueryLog } from "../../../../roles/dns_redirector/doors/query_log.ts";
import { serveTcp } from "../../../../roles/dns_redirector/doors/tcp_door.ts";
import { Transfers } from "../../../../roles/dns_redirector/doors/transfers.ts";
import { roleContext } from "../../../support/role_context.ts";
import { responderFor, ZONE } from "../../dns/authority/ask.ts";

/** A server that takes two connections, and clients that the test makes come one by one. */
function start() {
  const stop = new AbortController();
  const ctx = roleContext({ signal: stop.signal });
  const { clock, events } = ctx;
  const arriving: TcpConnection[] = [];
  let arrived = () => {};
  const listener = {
    async *accept() {
      for (;;) {
        const next = arriving.shift();
        if (next !== undefined) yield next;
        else if (stop.signal.aborted) return;
        else await new Promise<void>((resolve) => arrived = resolve);
      }
    },
  } as unknown as TcpListener;
  const closed: number[] = [];
  const connect = async (port: number) => {
    let wake = () => {};
    const incoming: Uint8Array[] = [];
    arriving.push({
      local: { host: "127.0.0.1", port: 53 },
      remote: { host: "127.0.0.9", port },
      async read(buffer) {
        while (incoming.length === 0 && !closed.includes(port)) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        const next = incoming.shift();
        if (next === undefined) return null;
        buffer.set(next);
        return next.length;
      },
      write: () => Promise.resolve(),
      closeWrite: () => Promise.resolve(),
      setNoDelay: () => {},
      [Symbol.dispose]: () => {
        if (!closed.includes(port)) closed.push(port);
        wake();
      },
    });
    arrived();
    await clock.advanceTo(clock.nowMs());
    return async () => {
      const name = parseName("mail.kingcdn.example");
      incoming.push(frameMessage(encodeQuery({ id: 1, name, type: 1 })));
      wake();
      await clock.advanceTo(clock.nowMs());
    };
  };
  const running = serveTcp(listener, {
    responder: responderFor([ZONE]),
    zones: () => {
      throw new Error("no zone is transferred");
    },
    transfers: new Transfers([], ctx),
    log: new QueryLog(ctx),
    ...{ ctx, idleTimeout: 60_000, maxConnections: 2 },
  });
  return {
    ...{ clock, closed, connect },
    reasons: () =>
      events.flatMap((event) =>
        event.type === "resolver.disconnected"
          ? [`${event.remote.replace(/^.*:/, "")} ${event.reason}`]
          : []
      ),
    async [Symbol.asyncDispose]() {
      stop.abort();
      arrived();
      await running;
    },
  };
}

Deno.test("serveTcp closes who was silent the longest when too many come, and the newcomer if none was for a second", async () => {
  await using door = start();
  const ask = await door.connect(1);
  await door.clock.advanceTo(100);
  await door.connect(2);
  await door.clock.advanceTo(999);
  // both have been there for less than a second
  await door.connect(3);
  assertEquals(door.closed, [3]);
  await door.clock.advanceTo(1050);
  await ask();
  await door.clock.advanceTo(1099);
  await door.connect(4);
  assertEquals(door.closed, [3, 4]);
  await door.clock.advanceTo(1100);
  await door.connect(5);
  assertEquals(door.closed, [3, 4, 2]);
  await door.clock.advanceTo(5000);
  // the first has asked before the fifth came
  await door.connect(6);
  assertEquals(door.closed, [3, 4, 2, 1]);
  assertEquals(
    door.reasons(),
    [3, 4, 2, 1].map((port) => `${port} too-many-connections`),
  );
});

Deno.test("serveTcp closes all when the role ends", async () => {
  const door = start();
  await door.connect(1);
  await door.connect(2);
  await door[Symbol.asyncDispose]();
  assertEquals(door.closed.toSorted(), [1, 2]);
});
