/**
 * Lesson 3, BitTorrent: the tracker, over HTTP (BEP 3, 23, 48).
 *
 *     python3 tracker.py &
 *     ROLECALL_TARGET=http://127.0.0.1:6969/announce deno test -A tests/grading/03_tracker_test.ts
 */
import { assert, assertEquals } from "@std/assert";
import { givenTarget, graded, type Target, target } from "./_target.ts";
import { type Bencoded, latin1, readDictionary } from "./_bencode.ts";
import {
  allBytes,
  type Peer,
  peerIdOf,
  readCompact,
  SWARMS,
} from "./_swarms.ts";

/** A tracker under test, and where it is asked. */
interface Tracker extends Target {
  readonly announceUrl: string;
  readonly signal: AbortSignal;
}

/** One who announces. */
interface Announce {
  readonly infoHash?: Uint8Array;
  readonly port: number;
  readonly left?: number;
  readonly event?: string;
  readonly compact?: 0 | 1;
  readonly more?: string;
}

const given = givenTarget();
const isOverHttp = !(given ?? "").startsWith("udp:");

/** Every byte escaped: a server has to read it as bytes, not as text. */
function escaped(bytes: Uint8Array): string {
  return Array.from(
    bytes,
    (byte) => `%${byte.toString(16).padStart(2, "0")}`,
  ).join("");
}

function get(url: string, signal: AbortSignal): Promise<Uint8Array> {
  // A failure may come with any status.
  return fetch(url, { signal }).then((response) => response.bytes());
}

/** Sends an announce and returns the answer. @throws {Error} If that is no bencoded dictionary. */
async function announce(
  { announceUrl, signal }: Tracker,
  { infoHash, port, left = 1000, event, compact = 1, more = "" }: Announce,
): Promise<ReadonlyMap<string, Bencoded>> {
  const query = [
    ...(infoHash === undefined ? [] : [`info_hash=${escaped(infoHash)}`]),
    `peer_id=${escaped(peerIdOf(port))}`,
    ...[`port=${port}`, "uploaded=0", "downloaded=0", `left=${left}`],
    `compact=${compact}`,
    ...(event === undefined ? [] : [`event=${event}`]),
  ].join("&");
  return readDictionary(await get(`${announceUrl}?${query}${more}`, signal));
}

function failureOf(answer: ReadonlyMap<string, Bencoded>): string | undefined {
  const reason = answer.get("failure reason");
  return reason instanceof Uint8Array ? latin1(reason) : undefined;
}

/** The peers of an answer, in either form. */
function peersOf(answer: ReadonlyMap<string, Bencoded>): Peer[] {
  const failure = failureOf(answer);
  assertEquals(failure, undefined, `the tracker refuses: ${failure}`);
  const peers = answer.get("peers");
  if (peers instanceof Uint8Array) return readCompact(peers);
  assert(Array.isArray(peers), "an answer has peers");
  return peers.map((peer: Bencoded) => {
    assert(peer instanceof Map, "each peer is a dictionary");
    const host = peer.get("ip");
    const port = peer.get("port");
    assert(host instanceof Uint8Array, "each peer has an ip");
    assert(typeof port === "number", "each peer has a port");
    return { host: latin1(host), port };
  });
}

async function portsTold(tracker: Tracker, asker: Announce): Promise<number[]> {
  return peersOf(await announce(tracker, asker)).map(({ port }) => port);
}

function http(
  name: string,
  run: (tracker: Tracker) => Promise<void>,
  options: { readonly extra?: boolean } = {},
): void {
  graded(`tracker: ${name}`, async (signal) => {
    await using server = await target(["tracker"]);
    const { host, port } = server;
    const announceUrl = given?.startsWith("http")
      ? given
      : `http://${host.includes(":") ? `[${host}]` : host}:${port}/announce`;
    await run({ ...server, announceUrl, signal });
  }, { ...options, ignore: !isOverHttp });
}

http(
  "an announce is answered in bencoding, with interval and peers",
  async (tracker) => {
    const answer = await announce(tracker, {
      ...{ infoHash: SWARMS.first, port: 7001, event: "started" },
    });
    const interval = answer.get("interval");
    assert(typeof interval === "number" && interval > 0, "interval in seconds");
    assert(answer.has("peers"), "an answer has peers");
  },
);

http("the second peer is told of the first", async (tracker) => {
  const infoHash = SWARMS.meeting;
  await announce(tracker, { infoHash, port: 7011, event: "started" });
  const ports = await portsTold(tracker, {
    ...{ infoHash, port: 7012, event: "started" },
  });
  assert(ports.includes(7011), `port 7011 is missing in [${ports}]`);
});

http(
  "the first is told of the second when it announces again",
  async (tracker) => {
    const infoHash = SWARMS.again;
    await announce(tracker, { infoHash, port: 7021, event: "started" });
    await announce(tracker, { infoHash, port: 7022, event: "started" });
    const ports = await portsTold(tracker, { infoHash, port: 7021 });
    assert(ports.includes(7022), `port 7022 is missing in [${ports}]`);
  },
);

http("a peer that announces twice is told once", async (tracker) => {
  const infoHash = SWARMS.twice;
  for (const event of ["started", undefined, undefined]) {
    await announce(tracker, {
      ...{ infoHash, port: 7031 },
      ...(event === undefined ? {} : { event }),
    });
  }
  const ports = await portsTold(tracker, { infoHash, port: 7032 });
  assertEquals(ports.filter((port) => port === 7031), [7031]);
});

http("nobody is told of itself", async (tracker) => {
  const infoHash = SWARMS.itself;
  for (const port of [7041, 7042, 7041]) {
    const ports = await portsTold(tracker, { infoHash, port });
    assert(!ports.includes(port), `port ${port} is in [${ports}]`);
  }
}, { extra: true });

http("compact=1: six bytes a peer, address and port", async (tracker) => {
  const infoHash = SWARMS.compact;
  await announce(tracker, { infoHash, port: 7051, event: "started" });
  const answer = await announce(tracker, { infoHash, port: 7052, compact: 1 });
  const peers = answer.get("peers");
  assert(peers instanceof Uint8Array, "compact peers are a string of bytes");
  const first = readCompact(peers).find(({ port }) => port === 7051);
  assert(first, "port 7051 is missing");
  if (tracker.host === "127.0.0.1") assertEquals(first.host, "127.0.0.1");
});

http(
  "compact=0: a list of dictionaries with ip and port",
  async (tracker) => {
    const infoHash = SWARMS.dictionaries;
    await announce(tracker, { infoHash, port: 7061, event: "started" });
    const answer = await announce(tracker, {
      ...{ infoHash, port: 7062, compact: 0 },
    });
    assert(Array.isArray(answer.get("peers")), "peers are a list");
    assert(peersOf(answer).some(({ port }) => port === 7061));
  },
  { extra: true },
);

http("event=stopped leaves the swarm", async (tracker) => {
  const infoHash = SWARMS.stopped;
  await announce(tracker, { infoHash, port: 7071, event: "started" });
  await announce(tracker, { infoHash, port: 7072, event: "started" });
  await announce(tracker, { infoHash, port: 7071, event: "stopped" });
  const ports = await portsTold(tracker, { infoHash, port: 7073 });
  assert(!ports.includes(7071), `7071 has left, and is in [${ports}]`);
  assert(ports.includes(7072), `7072 has not left, and is not in [${ports}]`);
});

http("the peers of two torrents are kept apart", async (tracker) => {
  const { one, other } = SWARMS;
  await announce(tracker, { infoHash: one, port: 7081, event: "started" });
  await announce(tracker, { infoHash: other, port: 7082, event: "started" });
  const ports = await portsTold(tracker, { infoHash: other, port: 7083 });
  assert(ports.includes(7082) && !ports.includes(7081), `[${ports}]`);
});

http("info_hash is bytes: all 256 are read right", async (tracker) => {
  for (const [index, infoHash] of allBytes().entries()) {
    await announce(tracker, { infoHash, port: 7100 + index });
  }
  for (const [index, infoHash] of allBytes().entries()) {
    const ports = await portsTold(tracker, { infoHash, port: 7200 + index });
    const others = ports.filter((port) => port !== 7200 + index);
    assertEquals(others, [7100 + index], `info_hash=${escaped(infoHash)}`);
    // So that the next run finds the swarm as this one did.
    await announce(tracker, {
      ...{ infoHash, port: 7200 + index, event: "stopped" },
    });
  }
});

/** The tracker has to say no: with a failure reason, or at least with a status of HTTP. */
async function assertRefused(
  { announceUrl, signal }: Tracker,
  query: string,
): Promise<void> {
  const response = await fetch(`${announceUrl}?${query}`, { signal });
  const bytes = await response.bytes();
  if (response.status >= 400) return;
  assert(failureOf(readDictionary(bytes)), "a failure reason is due");
}

const REST = `peer_id=${
  escaped(peerIdOf(7091))
}&port=7091&uploaded=0&downloaded=0&left=0&compact=1`;

http("an announce without info_hash is refused", async (tracker) => {
  await assertRefused(tracker, REST);
});

http("an info_hash of 19 bytes is refused", async (tracker) => {
  const infoHash = escaped(SWARMS.first.subarray(0, 19));
  await assertRefused(tracker, `info_hash=${infoHash}&${REST}`);
});

http("a refusal has a failure reason", async (tracker) => {
  const answer = readDictionary(
    await get(`${tracker.announceUrl}?${REST}`, tracker.signal),
  );
  assert(failureOf(answer), "a failure reason is due");
});

http("bytes that are no HTTP do not end the tracker", async (tracker) => {
  const { host, port } = tracker;
  {
    using connection = await Deno.connect({ hostname: host, port });
    await connection.write(Uint8Array.of(0, 255, 13, 10, 128, 13, 10, 13, 10));
  }
  (await Deno.connect({ hostname: host, port })).close();
  const answer = await announce(tracker, {
    ...{ infoHash: SWARMS.first, port: 7093 },
  });
  assert(answer.has("peers"));
});

http("numwant=1 gives one peer", async (tracker) => {
  const infoHash = SWARMS.few;
  for (const port of [7301, 7302, 7303]) {
    await announce(tracker, { infoHash, port, event: "started" });
  }
  const ports = await portsTold(tracker, {
    ...{ infoHash, port: 7304, more: "&numwant=1" },
  });
  assertEquals(ports.length, 1);
}, { extra: true });

http(
  "a scrape counts who has all (left=0) and who has not",
  async (tracker) => {
    const infoHash = SWARMS.scraped;
    await announce(tracker, { infoHash, port: 7401, left: 0 });
    await announce(tracker, { infoHash, port: 7402, left: 500 });
    await announce(tracker, { infoHash, port: 7403, left: 500 });
    const url = tracker.announceUrl.replace(/announce([^/]*)$/, "scrape$1");
    const answer = readDictionary(
      await get(`${url}?info_hash=${escaped(infoHash)}`, tracker.signal),
    );
    const files = answer.get("files");
    assert(files instanceof Map, "a scrape has files");
    const swarm = files.get(latin1(infoHash));
    assert(swarm instanceof Map, "the files' keys are info-hashes of 20 bytes");
    assertEquals(swarm.get("complete"), 1);
    assertEquals(swarm.get("incomplete"), 2);
  },
  { extra: true },
);
