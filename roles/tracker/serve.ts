import { InputError, RunError } from "../../lib/core/errors.ts";
import { toHex } from "../../lib/core/bytes.ts";
import { SwarmTable } from "../../lib/bittorrent/tracker/table/swarm_table.ts";
import { ConnectionIds } from "../../lib/bittorrent/tracker/udp/connection_ids.ts";
import {
  type Engine,
  type EngineOptions,
  engineOptions,
} from "../../lib/io/engine.ts";
import { secretBytes } from "../../lib/io/hash.ts";
import type { HttpServer } from "../../lib/io/http.ts";
import type { UdpSocket } from "../../lib/io/net.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import { GrowthCollector } from "../../lib/io/growth_collector.ts";
import type { RoleContext } from "../../lib/role.ts";
import { AllowList } from "./allow_list.ts";
import { FrontDesk } from "./front_desk.ts";
import { httpDoor } from "./http_door.ts";
import { StateFile } from "./state_file.ts";
import { TrackerLog } from "./tracker_log.ts";
import { answerDatagram } from "./udp_door.ts";

/** How many free ports are tried until one is free for both HTTP and UDP. */
const PORT_ATTEMPTS = 20;
/** Most peers in one answer: above, a reply in the long form is no longer a page. */
const MAX_PEERS = 1000;
/** Longest interval: what fits any client's 32-bit counter of milliseconds. */
const MAX_INTERVAL_MS = 86_400_000;
/** However short the interval, libtorrent (qBittorrent, Deluge) and rtorrent announce every five minutes; one may be lost. */
const LEAST_EXPIRY_MS = 660_000;
/** How often some peers are looked at, whether they have been silent for too long. */
const SWEEP_MS = 100;
/** All of them are, in this part of the time after which they are forgotten, unless there are too many. */
const SWEEP_PART = 16;
/** Fewest and most looked at each time. The most take about 2 ms. */
const SWEEP_LIMITS = { min: 1000, max: 20_000 };

/** Peers after whom garbage is collected: their records take 1.7 MB. */
const COLLECT_AFTER = 50_000;

/** The tracker's flags. */
export interface TrackerFlags {
  readonly host: string;
  readonly port: number;
  readonly udpPort: number | undefined;
  readonly interval: number;
  readonly forgetAfter: number | undefined;
  readonly maxPeers: number;
  readonly allow: string | undefined;
  readonly state: string | undefined;
  readonly stateInterval: number;
  readonly engine: Engine;
}

/** Runs a tracker until `ctx.signal` aborts. */
export async function serveTracker(
  flags: TrackerFlags,
  ctx: RoleContext,
): Promise<void> {
  checkFlags(flags);
  const list = flags.allow === undefined
    ? null
    : new AllowList(flags.allow, ctx);
  await list?.read();
  const intervalSeconds = Math.round(flags.interval / 1000);
  const expiryMs = expiryMsOf(flags);
  const table = new SwarmTable({
    ...{ rng: ctx.rng, expiryMs, maxPeers: flags.maxPeers },
    allowed: list === null ? null : list.names.keys(),
  });
  const state = flags.state === undefined
    ? null
    : new StateFile(flags.state, table, ctx);
  await using _lock = await state?.lock();
  await state?.load(expiryMs);
  {
    await using log = new TrackerLog(ctx);
    const trackerId = toHex(secretBytes(4));
    const { clock } = ctx;
    const desk = new FrontDesk({
      ...{ table, intervalSeconds, trackerId, log, clock },
    });
    await using violations = new ViolationLog(ctx);
    const engine = engineOptions(flags.engine, ctx);
    const doors = await openDoors(flags, ctx, {
      desk,
      violations,
      names: () => list?.names ?? new Map(),
      engine,
    });
    await using _http = doors.http;
    await using udp = doors.udp;
    tellOfDoors(doors, ctx);
    const ids = new ConnectionIds(secretBytes(16));
    await Promise.all([
      udp.serve(
        (datagram, reply) => answerDatagram(datagram, reply, { desk, ids }),
        ctx.signal,
        engine,
      ),
      sweepNowAndThen(table, ctx, { log, expiryMs }),
      list?.watch((infoHashes) => table.allow(infoHashes)),
      flags.stateInterval > 0 ? state?.keepSaved(flags.stateInterval) : null,
    ]);
  }
  await state?.save();
}

/** Returns how long a peer may be silent before it is forgotten. */
export function expiryMsOf(
  flags: Pick<TrackerFlags, "interval" | "forgetAfter">,
): number {
  return flags.forgetAfter ?? Math.max(2 * flags.interval, LEAST_EXPIRY_MS);
}

function checkFlags(flags: TrackerFlags): void {
  if (flags.interval < 1000 || flags.interval > MAX_INTERVAL_MS) {
    throw new InputError("--interval must be from 1s to 24h");
  }
  if (flags.forgetAfter !== undefined && flags.forgetAfter < flags.interval) {
    throw new InputError(
      "--forget-after must be at least --interval, or peers that are there are forgotten",
    );
  }
  if (flags.stateInterval > 0 && flags.stateInterval < 1000) {
    throw new InputError("--state-interval must be at least 1s, or 0");
  }
  if (flags.maxPeers < 1 || flags.maxPeers > MAX_PEERS) {
    throw new InputError(
      `--max-peers must be from 1 to ${MAX_PEERS}, got ${flags.maxPeers}`,
    );
  }
}

/** Opens both sockets on one port number. With `--port 0` a number that is free for TCP may be taken for UDP: try others. */
async function openDoors(
  flags: TrackerFlags,
  ctx: RoleContext,
  { desk, names, violations, engine }: {
    readonly desk: FrontDesk;
    readonly names: () => ReadonlyMap<string, string>;
    readonly violations: ViolationLog;
    readonly engine: EngineOptions;
  },
): Promise<{ readonly http: HttpServer; readonly udp: UdpSocket }> {
  const { host } = flags;
  for (let attempt = 1;; attempt++) {
    let udpPort = 0;
    const door = httpDoor(desk, { names, udpPort: () => udpPort });
    const http = ctx.net.serveHttp(
      { host, port: flags.port },
      door,
      { ...engine, violated: violations.violated },
    );
    try {
      const udp = ctx.net.listenUdp(
        flags.udpPort === undefined
          ? { host, port: http.port }
          : { host, port: flags.udpPort, portFlag: "--udp-port" },
      );
      udpPort = udp.port;
      return { http, udp };
    } catch (error) {
      await http[Symbol.asyncDispose]();
      const mayTryAgain = flags.port === 0 && flags.udpPort === undefined &&
        error instanceof RunError && error.code === "address-in-use";
      if (mayTryAgain && attempt < PORT_ATTEMPTS) continue;
      throw error;
    }
  }
}

function tellOfDoors(
  { http, udp }: { readonly http: HttpServer; readonly udp: UdpSocket },
  ctx: RoleContext,
): void {
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
}

async function sweepNowAndThen(
  table: SwarmTable,
  { clock, signal }: RoleContext,
  { log, expiryMs }: { readonly log: TrackerLog; readonly expiryMs: number },
): Promise<void> {
  const rounds = expiryMs / SWEEP_PART / SWEEP_MS;
  const collector = new GrowthCollector(COLLECT_AFTER);
  while (!signal.aborted) {
    await pauseUntil(clock.nowMs() + SWEEP_MS, { clock, signal });
    if (signal.aborted) return;
    collector.measured(table.peerCount);
    const fair = Math.ceil((table.peerCount + table.swarmCount) / rounds);
    const { min, max } = SWEEP_LIMITS;
    const limit = Math.min(max, Math.max(min, fair));
    for (const { infoHash, peers } of table.sweep(clock.nowMs(), limit)) {
      log.addExpired(infoHash, peers);
    }
  }
}
