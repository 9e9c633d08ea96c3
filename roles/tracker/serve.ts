import { fromUtf8, toHex } from "../../lib/core/bytes.ts";
import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { SwarmTable } from "../../lib/bittorrent/swarm_table.ts";
import { ConnectionIds } from "../../lib/bittorrent/tracker_connection_ids.ts";
import { secretBytes, sha256 } from "../../lib/io/hash.ts";
import type { HttpServer } from "../../lib/io/http.ts";
import type { UdpSocket } from "../../lib/io/net.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { parseAllowList } from "./allow_list.ts";
import { FrontDesk } from "./front_desk.ts";
import { httpDoor } from "./http_door.ts";
import { TrackerLog } from "./tracker_log.ts";
import { answerDatagram } from "./udp_door.ts";

/** How many free ports are tried until one is free for both HTTP and UDP. */
const PORT_ATTEMPTS = 20;
/** Largest allow list: a million torrents. */
const MAX_ALLOW_BYTES = 64 * 2 ** 20;
/** Most peers in one answer: above, a reply in the long form is no longer a page. */
const MAX_PEERS = 1000;
/** Longest interval: what fits any client's 32-bit counter of milliseconds. */
const MAX_INTERVAL_MS = 86_400_000;

/** The tracker's flags. */
export interface TrackerFlags {
  readonly host: string;
  readonly port: number;
  readonly udpPort: number | undefined;
  readonly interval: number;
  readonly maxPeers: number;
  readonly allow: string | undefined;
}

/** Runs a tracker until `ctx.signal` aborts. */
export async function serveTracker(
  flags: TrackerFlags,
  ctx: RoleContext,
): Promise<void> {
  checkFlags(flags);
  const names = flags.allow === undefined
    ? null
    : await readAllowList(flags.allow, ctx);
  const intervalSeconds = Math.round(flags.interval / 1000);
  const table = new SwarmTable({
    rng: ctx.rng,
    expiryMs: 2 * intervalSeconds * 1000,
    maxPeers: flags.maxPeers,
    allowed: names === null ? null : new Set(names.keys()),
  });
  await using log = new TrackerLog(ctx);
  const { clock } = ctx;
  const desk = new FrontDesk({ table, intervalSeconds, log, clock });
  const ids = new ConnectionIds({ hash: sha256, secret: secretBytes(32) });
  await using violations = new ViolationLog(ctx);
  const doors = await openDoors(flags, ctx, {
    desk,
    names: names ?? new Map(),
    violations,
  });
  await using http = doors.http;
  await using udp = doors.udp;
  ctx.emit({
    type: "role.listening",
    transport: "http",
    host: http.host,
    port: http.port,
  });
  ctx.emit({
    type: "role.listening",
    transport: "udp",
    host: udp.host,
    port: udp.port,
  });
  await Promise.all([
    serveUdp(udp, ctx, { desk, ids }),
    sweepNowAndThen(table, ctx, intervalSeconds * 1000),
  ]);
}

function checkFlags(flags: TrackerFlags): void {
  if (flags.interval < 1000 || flags.interval > MAX_INTERVAL_MS) {
    throw new InputError("--interval must be from 1s to 24h");
  }
  if (flags.maxPeers < 1 || flags.maxPeers > MAX_PEERS) {
    throw new InputError(
      `--max-peers must be from 1 to ${MAX_PEERS}, got ${flags.maxPeers}`,
    );
  }
}

async function readAllowList(
  path: string,
  ctx: RoleContext,
): Promise<ReadonlyMap<string, string>> {
  try {
    const bytes = await ctx.files.read(path, { maxBytes: MAX_ALLOW_BYTES });
    return parseAllowList(fromUtf8(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RunError)) {
      throw cause;
    }
    throw new InputError(`Cannot use --allow ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Opens both sockets on one port number. With `--port 0` a number that is free for TCP may be taken for UDP: try others. */
async function openDoors(
  flags: TrackerFlags,
  ctx: RoleContext,
  { desk, names, violations }: {
    readonly desk: FrontDesk;
    readonly names: ReadonlyMap<string, string>;
    readonly violations: ViolationLog;
  },
): Promise<{ readonly http: HttpServer; readonly udp: UdpSocket }> {
  const { host } = flags;
  for (let attempt = 1;; attempt++) {
    let udpPort = 0;
    const door = httpDoor(desk, { names, udpPort: () => udpPort });
    const http = ctx.net.serveHttp(
      { host, port: flags.port },
      door,
      violations,
    );
    try {
      const udp = ctx.net.listenUdp({ host, port: flags.udpPort ?? http.port });
      udpPort = udp.port;
      return { http, udp };
    } catch (error) {
      await http[Symbol.asyncDispose]();
      const mayTryAgain = flags.port === 0 && flags.udpPort === undefined &&
        error instanceof RunError && error.code === "address-in-use";
      if (!mayTryAgain || attempt >= PORT_ATTEMPTS) throw error;
    }
  }
}

async function serveUdp(
  udp: UdpSocket,
  ctx: RoleContext,
  door: { readonly desk: FrontDesk; readonly ids: ConnectionIds },
): Promise<void> {
  for await (const { bytes, host, port } of udp.receive(ctx.signal)) {
    const answer = answerDatagram(bytes, host, door);
    if (answer === null) continue;
    try {
      await udp.send(answer, { host, port });
    } catch (error) {
      // The asker's network has gone, or its port is forged: no reason to stop serving the others.
      if (!(error instanceof RunError)) throw error;
    }
  }
}

async function sweepNowAndThen(
  table: SwarmTable,
  ctx: RoleContext,
  intervalMs: number,
): Promise<void> {
  const { clock, signal } = ctx;
  while (!signal.aborted) {
    await clock.sleepUntil(clock.nowMs() + intervalMs / 2, signal)
      .catch(() => {});
    if (signal.aborted) return;
    for (const { infoHash, peers } of table.sweep(clock.nowMs())) {
      ctx.emit({ type: "tracker.expired", infoHash: toHex(infoHash), peers });
    }
  }
}
