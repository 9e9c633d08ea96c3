import { assert, assertEquals } from "@std/assert";
import { parseAddress, parseCidr } from "../../../../lib/core/address.ts";
import { concat } from "../../../../lib/core/bytes.ts";
import { RCODES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { decodeMessage } from "../../../../lib/dns/message.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import { frameMessage, MessageDecoder } from "../../../../lib/dns/stream.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import type { TcpConnection } from "../../../../lib/io/net.ts";
import { QueryLog } from "../../../../roles/dns_redirector/doors/query_log.ts";
import { TcpTalk } from "../../../../roles/dns_redirector/doors/tcp_talk.ts";
import { Transfers } from "../../../../roles/dns_redirector/doors/transfers.ts";
import { roleContext } from "../../../support/role_context.ts";
import { ZONE } from "../../dns/authority/ask.ts";

/** A talk with a client that the test is. */
function start({ slow = false }: { readonly slow?: boolean } = {}) {
  const stop = new AbortController();
  const ctx = roleContext({ signal: stop.signal });
  const { clock, events } = ctx;
  const incoming: (Uint8Array | null)[] = [];
  let wake = () => {};
  const written: Uint8Array[] = [];
  const writing: (() => void)[] = [];
  let closed = false;
  const connection: TcpConnection = {
    local: { host: "127.0.0.1", port: 53 },
    remote: { host: "127.0.0.9", port: 4000 },
    async read(buffer) {
      while (incoming.length === 0 && !closed) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      const next = closed ? null : incoming.shift()!;
      if (next === null) return null;
      buffer.set(next);
      return next.length;
    },
    async write(bytes) {
      if (slow) await new Promise<void>((resolve) => writing.push(resolve));
      written.push(bytes.slice());
    },
    closeWrite: () => Promise.resolve(),
    setNoDelay: () => {},
    [Symbol.dispose]: () => {
      closed = true;
      wake();
    },
  };
  const zones = new ZoneTable(parseMasterFile(ZONE));
  const transfers = new Transfers([parseCidr("127.0.0.0/8")], ctx);
  const responder = new Responder(zones, {
    rng: () => 0.5,
    transferVerdict: transfers.verdict,
  });
  const log = new QueryLog(ctx);
  const talk = new TcpTalk(connection, {
    ...{ responder, transfers, log, ctx, idleTimeout: 10_000 },
    zones: () => zones,
  });
  const running = talk.run();
  return {
    clock,
    events,
    talk,
    transfers,
    running,
    stop,
    writing,
    /** Sends bytes, or null for the end of the stream. */
    async send(bytes: Uint8Array | null) {
      incoming.push(bytes);
      wake();
      await clock.advanceTo(clock.nowMs());
    },
    /** What has come so far, write by write: ids and counts of answers. */
    heard: () =>
      written.map((bytes) =>
        new MessageDecoder().push(bytes).map((message) => {
          const { id, answers } = decodeMessage(message);
          return `${id}: ${answers.length}`;
        })
      ),
    heardBytes: () => written.reduce((sum, { length }) => sum + length, 0),
    isClosed: () => closed,
  };
}

function query(id: number, name: string, type: number = RECORD_TYPES.A) {
  return frameMessage(encodeQuery({ id, name: parseName(name), type }));
}

Deno.test("TcpTalk answers all queries of one read with one write, however they are cut", async () => {
  const talk = start();
  const three = concat(
    query(1, "mail.kingcdn.example"),
    query(2, "nowhere.kingcdn.example"),
    query(3, "www.kingcdn.example"),
  );
  await talk.send(three);
  assertEquals(talk.heard(), [["1: 1", "2: 0", "3: 2"]]);
  for (let at = 0; at < three.length; at += 10) {
    await talk.send(three.subarray(at, at + 10));
  }
  assertEquals(talk.heard().flat().slice(3), ["1: 1", "2: 0", "3: 2"]);
  await talk.send(null);
  await talk.running;
  assert(talk.isClosed());
  assert(talk.events.every(({ type }) => type !== "protocol.violated"));
});

Deno.test("TcpTalk closes a connection on which nothing is asked, and what is no whole query does not count", async () => {
  const talk = start();
  await talk.clock.advanceTo(9000);
  await talk.send(query(1, "mail.kingcdn.example"));
  await talk.clock.advanceTo(15_000);
  await talk.send(query(2, "mail.kingcdn.example").subarray(0, 5));
  await talk.clock.advanceTo(18_999);
  assert(!talk.isClosed());
  await talk.clock.advanceTo(19_000);
  await talk.running;
  assert(talk.isClosed());
  assertEquals(
    talk.events.flatMap((event) =>
      event.type === "resolver.disconnected" ? [event.reason] : []
    ),
    ["idle"],
  );
});

Deno.test("TcpTalk says when a connection ends inside a query, and ends with the role", async () => {
  const cut = start();
  await cut.send(query(1, "mail.kingcdn.example").subarray(0, 9));
  await cut.send(null);
  await cut.running;
  assertEquals(
    cut.events.flatMap((event) =>
      event.type === "protocol.violated" ? [event.code] : []
    ),
    ["dns-truncated"],
  );
  const stopped = start();
  stopped.stop.abort();
  await stopped.running;
  assert(stopped.isClosed());
});

Deno.test("TcpTalk answers later queries while a zone is on its way, and a client that does not read costs one write", async () => {
  const talk = start();
  await talk.send(concat(
    query(1, "kingcdn.example", RECORD_TYPES.AXFR),
    query(2, "mail.kingcdn.example"),
  ));
  const heard = talk.heard().flat().map((each) => each.split(":")[0]);
  assertEquals(heard.toSorted(), ["1", "2"]);
  assert(talk.events.some(({ type }) => type === "zone.transferred"));
  const slow = start({ slow: true });
  for (let id = 1; id <= 50; id++) {
    await slow.send(query(id, "mail.kingcdn.example"));
  }
  // The first answer waits for the client, and nothing more is read.
  assertEquals([slow.writing.length, slow.heard().length], [1, 0]);
  await slow.clock.advanceTo(9999);
  assert(!slow.isClosed());
  await slow.clock.advanceTo(10_000);
  await slow.running;
  assert(slow.isClosed());
});

Deno.test("TcpTalk sends ten zones at a time, and who does not take them keeps nobody else from them for long", async () => {
  const slow = start({ slow: true });
  const anyone = parseAddress("127.0.0.77");
  const axfr = (id: number) => query(id, "kingcdn.example", RECORD_TYPES.AXFR);
  const verdicts: number[] = [];
  for (let id = 1; id <= 10; id++) {
    verdicts.push(slow.transfers.verdict(anyone));
    await slow.send(axfr(id));
  }
  assertEquals(verdicts, Array(10).fill(RCODES.NOERROR));
  assertEquals(slow.transfers.verdict(anyone), RCODES.SERVFAIL);
  assertEquals(
    slow.transfers.verdict(parseAddress("10.0.0.1")),
    RCODES.REFUSED,
  );
  await slow.clock.advanceTo(10_000);
  await slow.running;
  assertEquals(slow.transfers.verdict(anyone), RCODES.NOERROR);
  assert(slow.events.every(({ type }) => type !== "zone.transferred"));
  const quick = start();
  for (let id = 1; id <= 30; id++) await quick.send(axfr(id));
  const sent = quick.events.filter(({ type }) => type === "zone.transferred");
  assertEquals(sent.length, 30);
  assertEquals(sent[0], {
    ...{ type: "zone.transferred", zone: "kingcdn.example", serial: 1 },
    ...{ remote: "127.0.0.9:4000", messages: 1 },
    sentBytes: quick.heardBytes() / 30 - 2,
  });
  quick.stop.abort();
  await quick.running;
});
