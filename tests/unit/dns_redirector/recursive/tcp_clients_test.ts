import { assert, assertEquals } from "@std/assert";
import { concat } from "../../../../lib/core/bytes.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import type { ResolverInput } from "../../../../lib/dns/resolver/in_out.ts";
import { frameMessage, MessageDecoder } from "../../../../lib/dns/stream.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { Inbox } from "../../../../lib/io/inbox.ts";
import type { TcpConnection, TcpListener } from "../../../../lib/io/net.ts";
import { Clients } from "../../../../roles/dns_redirector/recursive/clients.ts";
import { serveTcpClients } from "../../../../roles/dns_redirector/recursive/tcp_clients.ts";
import { roleContext } from "../../../support/role_context.ts";

/** A client over TCP that the test is; its answers are the queries themselves, when the test gives them. */
function client(port: number) {
  const incoming: (Uint8Array | null)[] = [];
  let wake = () => {};
  let take: (() => void) | undefined;
  const state = { isClosed: false, reads: true };
  const written: Uint8Array[] = [];
  const connection: TcpConnection = {
    local: { host: "127.0.0.1", port: 53 },
    remote: { host: "127.0.0.9", port },
    async read(buffer) {
      while (incoming.length === 0 && !state.isClosed) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      const next = state.isClosed ? null : incoming.shift()!;
      if (next === null) return null;
      buffer.set(next);
      return next.length;
    },
    async write(bytes) {
      if (!state.reads && !state.isClosed) {
        await new Promise<void>((resolve) => take = resolve);
      }
      if (state.isClosed) throw new RunError("connection-lost", "closed");
      written.push(bytes.slice());
    },
    closeWrite: () => Promise.resolve(),
    setNoDelay: () => {},
    [Symbol.dispose]: () => {
      // a write that is under way stays so, as in older Denos
      state.isClosed = true;
      wake();
    },
  };
  return {
    ...{ connection, state },
    send(bytes: Uint8Array | null) {
      incoming.push(bytes);
      wake();
    },
    /** Takes one answer. */
    take: () => take?.(),
    unread: () => incoming.length,
    heard: () =>
      new MessageDecoder().push(concat(...written)).map((message) =>
        (message[0] ?? 0) << 8 | (message[1] ?? 0)
      ),
  };
}

function start(count: number, maxConnections = 10) {
  const stop = new AbortController();
  const ctx = roleContext({ signal: stop.signal });
  const { clock, events } = ctx;
  const peers = Array.from({ length: count }, (_, at) => client(4000 + at));
  const listener = {
    async *accept() {
      for (const { connection } of peers) yield connection;
      await Promise.resolve();
    },
  } as unknown as TcpListener;
  const inbox = new Inbox<ResolverInput>();
  const asked: (ResolverInput & { readonly kind: "query" })[] = [];
  const clients = new Clients();
  const flags = { maxConnections, idleTimeout: 10_000 };
  const running = serveTcpClients(listener, { inbox, clients, ctx, flags });
  const pumping = (async () => {
    for (;;) {
      const { value, done } = await inbox.next();
      if (done) return;
      if (value.kind === "query") asked.push(value);
    }
  })();
  return {
    ...{ clock, peers, asked },
    settle: () => clock.advanceTo(clock.nowMs()),
    /** Answers a question with itself. */
    answer(at: number) {
      const question = asked[at];
      assert(question !== undefined);
      clients.reply(question.clientId, question.bytes.slice());
    },
    reasons: () =>
      events.flatMap((event) =>
        event.type === "resolver.disconnected"
          ? [`${event.remote} ${event.reason}`]
          : []
      ),
    stop: () => stop.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      inbox.close();
      await pumping;
    },
  };
}

function query(id: number): Uint8Array<ArrayBuffer> {
  return frameMessage(
    encodeQuery({ id, name: parseName("www.example"), type: 1 }),
  );
}

Deno.test("serveTcpClients answers each question of a connection when its answer is found, in whichever order", async () => {
  await using test = start(1);
  const [peer] = test.peers;
  assert(peer !== undefined);
  const three = concat(query(1), query(2), query(3));
  for (let at = 0; at < three.length; at += 7) {
    peer.send(three.subarray(at, at + 7));
  }
  await test.settle();
  assertEquals(test.asked.length, 3);
  assertEquals(test.asked[0]?.sender, {
    ...{ host: "127.0.0.9", port: 4000, transport: "tcp" },
  });
  for (const at of [2, 0]) test.answer(at);
  await test.settle();
  assertEquals(peer.heard(), [3, 1]);
  // who has closed its side still gets the last one
  peer.send(null);
  await test.settle();
  assert(!peer.state.isClosed);
  test.answer(1);
  await test.settle();
  assertEquals(peer.heard(), [3, 1, 2]);
  assert(peer.state.isClosed);
  assertEquals(test.reasons(), []);
});

Deno.test("serveTcpClients closes a connection without a question, not one whose answer is looked for", async () => {
  await using test = start(2);
  const [idle, waiting] = test.peers;
  assert(idle !== undefined && waiting !== undefined);
  idle.send(query(1).subarray(0, 9));
  waiting.send(query(2));
  await test.clock.advanceTo(9999);
  assert(!idle.state.isClosed);
  await test.clock.advanceTo(10_000);
  assert(idle.state.isClosed);
  assert(!waiting.state.isClosed);
  await test.clock.advanceTo(30_000);
  assert(!waiting.state.isClosed);
  test.answer(0);
  await test.clock.advanceTo(39_000);
  assertEquals(waiting.heard(), [2]);
  assert(!waiting.state.isClosed);
  await test.clock.advanceTo(41_000);
  assert(waiting.state.isClosed);
  assertEquals(test.reasons(), ["127.0.0.9:4000 idle", "127.0.0.9:4001 idle"]);
});

Deno.test("serveTcpClients reads no further when 64 answers are not taken, and closes when none is for a while", async () => {
  await using test = start(1);
  const [peer] = test.peers;
  assert(peer !== undefined);
  peer.state.reads = false;
  for (let id = 1; id <= 200; id++) {
    peer.send(query(id));
    await test.settle();
    if (test.asked.length === id) test.answer(id - 1);
  }
  await test.settle();
  assertEquals([test.asked.length, peer.unread()], [64, 136]);
  // one is taken, so that one more is read
  await test.clock.advanceTo(9000);
  peer.take();
  await test.settle();
  assertEquals([peer.heard(), test.asked.length], [[1], 65]);
  await test.clock.advanceTo(18_000);
  assert(!peer.state.isClosed);
  await test.clock.advanceTo(20_000);
  assert(peer.state.isClosed);
  assertEquals(test.reasons(), ["127.0.0.9:4000 idle"]);
});

Deno.test("serveTcpClients turns away who comes when the most connections are open, and ends with the role", async () => {
  await using test = start(3, 2);
  await test.settle();
  assertEquals(test.peers.map(({ state }) => state.isClosed), [
    ...[false, false, true],
  ]);
  assertEquals(test.reasons(), ["127.0.0.9:4002 too-many-connections"]);
  test.stop();
  await test.settle();
  assert(test.peers.every(({ state }) => state.isClosed));
});
