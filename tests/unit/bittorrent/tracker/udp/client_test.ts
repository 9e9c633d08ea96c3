import { assert, assertEquals } from "@std/assert";
import type {
  UdpTrackerReply,
  UdpTrackerRequest,
} from "../../../../../lib/bittorrent/tracker/udp/messages.ts";
import { decodeUdpRequest } from "../../../../../lib/bittorrent/tracker/udp/requests.ts";
import {
  UdpTrackerClient,
  type UdpTrackerOutput,
} from "../../../../../lib/bittorrent/tracker/udp/client.ts";
import { utf8 } from "../../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";
import { announceOf } from "../../../../support/announce.ts";
import { encodeReply } from "./_reply.ts";

const REQUEST = announceOf();
const ANSWER = {
  intervalSeconds: 120,
  seeders: 1,
  leechers: 0,
  warning: null,
  peers: [{ host: "10.0.0.1", port: 6881, peerId: null }],
};

function client(): UdpTrackerClient {
  return new UdpTrackerClient({ rng: seededRng(1), family: "ipv4" });
}

function sentIn(outputs: readonly UdpTrackerOutput[]): UdpTrackerRequest {
  const output = outputs[0];
  assert(outputs.length === 1 && output?.kind === "send", "one send");
  return decodeUdpRequest(output.bytes);
}

function reply(answer: UdpTrackerReply): {
  readonly kind: "datagram";
  readonly bytes: Uint8Array;
} {
  return { kind: "datagram", bytes: encodeReply(answer) };
}

/** Connects; returns what the client sends next. */
function connect(
  machine: UdpTrackerClient,
  sent: UdpTrackerRequest,
  nowMs: number,
): UdpTrackerRequest {
  assertEquals(sent.kind, "connect");
  const { transactionId } = sent;
  return sentIn(
    machine.handle(
      reply({ kind: "connect", transactionId, connectionId: 77n }),
      nowMs,
    ),
  );
}

Deno.test("UdpTrackerClient connects, announces and reports the reply", () => {
  const machine = client();
  const first = sentIn(
    machine.handle({ kind: "announce", request: REQUEST }, 0),
  );
  const sent = connect(machine, first, 20);
  assert(sent.kind === "announce");
  assertEquals(sent.connectionId, 77n);
  assertEquals(sent.announce, REQUEST);
  const outputs = machine.handle(
    reply({
      kind: "announce",
      transactionId: sent.transactionId,
      announce: ANSWER,
    }),
    40,
  );
  assertEquals(outputs, [{ kind: "announced", reply: ANSWER }]);
  assertEquals(machine.deadlineMs, Infinity);
});

Deno.test("UdpTrackerClient says the key it is given, and path and query of the URL (BEP 41)", () => {
  const machine = new UdpTrackerClient({
    ...{ rng: seededRng(1), family: "ipv4" },
    ...{ key: 0xcafe, urlData: "/announce?passkey=1" },
  });
  const first = sentIn(
    machine.handle({ kind: "announce", request: REQUEST }, 0),
  );
  const sent = connect(machine, first, 20);
  assert(sent.kind === "announce");
  assertEquals([sent.key, sent.urlData], [0xcafe, "/announce?passkey=1"]);
});

Deno.test("UdpTrackerClient waits 15, 30, 60 ... s and gives up after nine requests", () => {
  const machine = client();
  const waits: number[] = [];
  let nowMs = 0;
  let outputs = machine.handle({ kind: "announce", request: REQUEST }, nowMs);
  while (outputs[0]?.kind === "send") {
    waits.push((machine.deadlineMs - nowMs) / 1000);
    nowMs = machine.deadlineMs;
    outputs = machine.handle({ kind: "timeout" }, nowMs);
  }
  assertEquals(waits, [15, 30, 60, 120, 240, 480, 960, 1920, 3840]);
  assertEquals(
    outputs[0]?.kind === "failed" && outputs[0].error.code,
    "tracker-no-answer",
  );
  assertEquals(machine.deadlineMs, Infinity);
});

Deno.test("UdpTrackerClient gives up on a tracker that connects and never answers the announce", () => {
  const machine = client();
  let nowMs = 0;
  let announces = 0;
  let connects = 0;
  let outputs = machine.handle({ kind: "announce", request: REQUEST }, nowMs);
  while (outputs[0]?.kind === "send") {
    const sent = sentIn(outputs);
    if (sent.kind === "connect") {
      connects += 1;
      const { transactionId } = sent;
      outputs = machine.handle(
        reply({ kind: "connect", transactionId, connectionId: 77n }),
        nowMs,
      );
      continue;
    }
    announces += 1;
    assert(announces < 100, "it never gives up");
    nowMs = machine.deadlineMs;
    outputs = machine.handle({ kind: "timeout" }, nowMs);
  }
  assertEquals(outputs[0]?.kind, "failed");
  assert(announces <= 9, `${announces} announces`);
  assert(connects > 1, "the connection id lasts a minute only");
});

Deno.test("UdpTrackerClient keeps its connection for a minute, then connects again", () => {
  const machine = client();
  const answerTo = (sent: UdpTrackerRequest, nowMs: number) =>
    machine.handle(
      reply({
        kind: "announce",
        transactionId: sent.transactionId,
        announce: ANSWER,
      }),
      nowMs,
    )[0]?.kind;
  const start = (nowMs: number) =>
    sentIn(machine.handle({ kind: "announce", request: REQUEST }, nowMs));
  const first = connect(machine, start(0), 0);
  assertEquals(answerTo(first, 0), "announced");
  const second = start(59_999);
  assertEquals(second.kind, "announce");
  assert(second.transactionId !== first.transactionId);
  assertEquals(answerTo(second, 59_999), "announced");
  assertEquals(start(60_000).kind, "connect");
});

Deno.test("UdpTrackerClient connects again when the tracker refuses a kept connection id", () => {
  const machine = client();
  const first = connect(
    machine,
    sentIn(machine.handle({ kind: "announce", request: REQUEST }, 0)),
    0,
  );
  machine.handle(
    reply({
      kind: "announce",
      transactionId: first.transactionId,
      announce: ANSWER,
    }),
    0,
  );
  const second = sentIn(
    machine.handle({ kind: "announce", request: REQUEST }, 1000),
  );
  const refuse = (sent: UdpTrackerRequest) =>
    machine.handle(
      reply({
        kind: "error",
        transactionId: sent.transactionId,
        message: "connection id",
      }),
      1000,
    );
  const third = connect(machine, sentIn(refuse(second)), 1000);
  const failed = refuse(third)[0];
  assertEquals(
    failed?.kind === "failed" && failed.error.code,
    "tracker-refused",
  );
});

Deno.test("UdpTrackerClient drops stray and senseless datagrams", () => {
  const machine = client();
  assertEquals(machine.handle({ kind: "datagram", bytes: utf8("x") }, 0), []);
  const sent = sentIn(
    machine.handle({ kind: "announce", request: REQUEST }, 0),
  );
  const strays = [
    { kind: "datagram" as const, bytes: new Uint8Array(3) },
    reply({
      kind: "connect",
      transactionId: (sent.transactionId + 1) >>> 0,
      connectionId: 1n,
    }),
    // An announce reply although a connect was asked for.
    reply({
      kind: "announce",
      transactionId: sent.transactionId,
      announce: ANSWER,
    }),
  ];
  for (const stray of strays) {
    assertEquals(machine.handle(stray, 1), []);
    assertEquals(machine.deadlineMs, 15_000);
  }
  assertEquals(machine.handle({ kind: "timeout" }, 14_999), []);
});

Deno.test("UdpTrackerClient scrapes, and fails when the reply is of another length", () => {
  for (const count of [2, 1]) {
    const machine = client();
    const infoHashes = [new Uint8Array(20), new Uint8Array(20).fill(9)];
    const sent = connect(
      machine,
      sentIn(machine.handle({ kind: "scrape", infoHashes }, 0)),
      0,
    );
    assert(sent.kind === "scrape");
    assertEquals(sent.infoHashes, infoHashes);
    const entries = Array.from(
      { length: count },
      () => ({ seeders: 1, leechers: 2, completed: 3 }),
    );
    const output = machine.handle(
      reply({ kind: "scrape", transactionId: sent.transactionId, entries }),
      5,
    )[0];
    if (count === 1) assertEquals(output?.kind, "failed");
    else {
      assertEquals(output, {
        kind: "scraped",
        entries: infoHashes.map((infoHash) => ({
          infoHash,
          seeders: 1,
          leechers: 2,
          completed: 3,
        })),
      });
    }
  }
});
