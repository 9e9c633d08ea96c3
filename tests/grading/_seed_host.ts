/** The tracker and the seeds that a student's leech is given: small, patient, and on this machine. */
import { type Bencoded, fromLatin1, latin1, writeBencode } from "./_bencode.ts";
import { BLOCK_BYTES, CONTENT, PIECE_BYTES, PIECES } from "./_shared_file.ts";
import { peerIdOf } from "./_swarms.ts";
import {
  fourBytes,
  handshake,
  HANDSHAKE_BYTES,
  MESSAGE,
  readHandshake,
  Wire,
} from "./_wire.ts";

const BLOCKS_IN_PIECE = PIECE_BYTES / BLOCK_BYTES;

/** Where a seed listens. */
export interface SeedAddress {
  readonly hostname: string;
  readonly port: number;
}

/** A seed that runs until it is disposed of. */
export interface RunningSeed extends Disposable {
  readonly address: SeedAddress;
  /** Ends when as many blocks as a piece has were sent. */
  readonly hasGiven: Promise<void>;
}

/** What a seed has, and how it gives it. */
export interface SeedKind {
  readonly hostname?: string;
  /** The pieces that it has; default: all. */
  readonly pieces?: readonly number[];
  /** Every block has a wrong byte. */
  readonly isBad?: boolean;
  /** Nobody is unchoked before. */
  readonly opens?: Promise<void>;
}

/** Starts a seed on loopback. */
export function startSeed(kind: SeedKind = {}): RunningSeed {
  const { hostname = "127.0.0.1" } = kind;
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const wires = new Set<Wire>();
  const { promise: hasGiven, resolve } = Promise.withResolvers<void>();
  let blocks = 0;
  const seed = {
    peerId: peerIdOf(port),
    onBlock() {
      if (++blocks === BLOCKS_IN_PIECE) resolve();
    },
  };
  (async () => {
    for await (const connection of listener) {
      const wire = new Wire(connection);
      wires.add(wire);
      serveLeech(wire, kind, seed)
        .catch(() => undefined) // It has left, or speaks in tongues.
        .finally(() => wire[Symbol.dispose]());
    }
  })().catch(() => undefined);
  return {
    ...{ address: { hostname, port }, hasGiven },
    [Symbol.dispose]() {
      listener.close();
      for (const wire of wires) wire[Symbol.dispose]();
    },
  };
}

async function serveLeech(
  wire: Wire,
  { pieces = [...Array(PIECES).keys()], isBad = false, opens }: SeedKind,
  { peerId, onBlock }: {
    readonly peerId: Uint8Array;
    readonly onBlock: () => void;
  },
): Promise<void> {
  const greeting = await wire.bytes(HANDSHAKE_BYTES);
  if (greeting === null || readHandshake(greeting) === undefined) return;
  await wire.sendBytes(handshake(latin1(peerId)));
  const bits = pieces.reduce((sum, index) => sum | (0x80 >> index), 0);
  await wire.send(MESSAGE.bitfield, Uint8Array.of(bits));
  for (;;) {
    const message = await wire.message();
    if (message === null) return;
    if (message.id === MESSAGE.interested) {
      await opens;
      await wire.send(MESSAGE.unchoke);
    }
    if (message.id !== MESSAGE.request) continue;
    const view = new DataView(message.payload.buffer);
    const [index, begin, length] = [0, 4, 8].map((at) =>
      view.getUint32(at)
    ) as [number, number, number];
    const from = index * PIECE_BYTES + begin;
    const block = CONTENT.slice(from, from + length);
    if (!pieces.includes(index) || block.length < length) return;
    if (isBad) block[0]! ^= 0xff;
    await wire.send(
      MESSAGE.piece,
      Uint8Array.from([...fourBytes(index, begin), ...block]),
    );
    onBlock();
  }
}

/** A tracker that tells everyone of the same peers. */
export interface RunningTracker extends AsyncDisposable {
  readonly announceUrl: string;
  /** The queries of all announces, as they came. */
  readonly queries: readonly string[];
}

/** Starts a tracker on loopback. */
export function startTracker(
  seeds: readonly SeedAddress[],
): RunningTracker {
  const queries: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
    (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname !== "/announce") return new Response(null, { status: 404 });
      queries.push(search.slice(1));
      const isCompact = !/(^|&)compact=0(&|$)/.test(search.slice(1));
      return new Response(fromLatin1(writeBencode(
        new Map<string, Bencoded>([
          ["interval", 60],
          ["complete", seeds.length],
          ["incomplete", 1],
          ["peers", isCompact ? compact(seeds) : dictionaries(seeds)],
        ]),
      )));
    },
  );
  return {
    announceUrl: `http://127.0.0.1:${server.addr.port}/announce`,
    queries,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function compact(seeds: readonly SeedAddress[]): Uint8Array {
  return Uint8Array.from(seeds.flatMap(({ hostname, port }) => [
    ...hostname.split(".").map(Number),
    ...[port >> 8, port & 255],
  ]));
}

function dictionaries(seeds: readonly SeedAddress[]): Bencoded[] {
  return seeds.map(({ hostname, port }) =>
    new Map<string, Bencoded>([
      ["ip", fromLatin1(hostname)],
      ["peer id", peerIdOf(port)],
      ["port", port],
    ])
  );
}
