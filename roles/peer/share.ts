import { InputError, RunError } from "../../lib/core/errors.ts";
import { shuffled } from "../../lib/core/rng.ts";
import { formatMs } from "../../lib/core/units.ts";
import type { HostPort } from "../../lib/cli/flags.ts";
import {
  HASH_BYTES,
  type Metainfo,
  type TorrentInfo,
} from "../../lib/bittorrent/metainfo.ts";
import { PieceHashes } from "../../lib/bittorrent/piece_hashes.ts";
import type { PickerName } from "../../lib/bittorrent/picker.ts";
import { Swarm } from "../../lib/bittorrent/swarm.ts";
import { hashing } from "../../lib/io/hash.ts";
import type { TcpListener } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { Discovery, type DiscoveryFlags } from "./discovery.ts";
import { Inventory } from "./inventory.ts";
import { Progress } from "./progress.ts";
import { readTorrent } from "./read_torrent.ts";
import { resultOf } from "./result.ts";
import { SwarmDriver } from "./swarm_driver.ts";
import { checkLimits, newPeerId, swarmOptions } from "./swarm_setup.ts";

/** The flags of the mode that shares a torrent. */
export interface ShareFlags extends DiscoveryFlags {
  readonly host: string;
  readonly port: number;
  readonly dir: string;
  readonly peer: readonly HostPort[];
  readonly uploadLimit: number | undefined;
  readonly downloadLimit: number | undefined;
  readonly unchokeSlots: number;
  readonly chokeInterval: number;
  readonly optimisticInterval: number;
  readonly picker: PickerName;
  readonly superSeed: "auto" | "on" | "off";
  readonly maxConnections: number;
  readonly seedFor: number | undefined;
  readonly exitWhenComplete: boolean;
  readonly leaveWhenComplete: boolean;
  readonly check: boolean;
  readonly freeRide: boolean;
  readonly giveUpAfter: number;
  readonly operand: string;
}

/** Downloads and serves a torrent until it is told to end, by a flag or from outside. */
export async function shareTorrent(
  flags: ShareFlags,
  ctx: RoleContext,
): Promise<void> {
  checkLimits(flags);
  const info = await readTorrent(flags.operand, ctx.files);
  await checkFolder(flags.dir, ctx);
  await using listener = ctx.net.listenTcp(flags);
  ctx.emit({
    type: "role.listening",
    transport: "tcp",
    host: listener.host,
    port: listener.port,
  });
  const hashes = new PieceHashes(info, hashing);
  await using inventory = new Inventory(ctx, {
    ...{ info, hashes, folder: flags.dir },
  });
  await inventory.check({ force: flags.check });
  const { storage } = inventory;
  const have = storage.stored.indices();
  const peerId = newPeerId(listener, ctx);
  const swarm = new Swarm(
    swarmOptions(flags, {
      info,
      hashes,
      have,
      peerId,
      listenPort: listener.port,
      ctx,
    }),
    ctx.clock.nowMs(),
  );
  const driver = new SwarmDriver(swarm, { hashes, storage, ctx });
  await share(flags, { info, peerId, swarm, driver, listener, inventory, ctx });
}

/** Everything that {@linkcode share} runs. */
interface Running {
  readonly info: Metainfo;
  readonly peerId: Uint8Array;
  readonly swarm: Swarm;
  readonly driver: SwarmDriver;
  readonly listener: TcpListener;
  readonly inventory: Inventory;
  readonly ctx: RoleContext;
}

async function share(flags: ShareFlags, running: Running): Promise<void> {
  const { info, peerId, swarm, driver, listener, ctx } = running;
  const progress = new Progress(swarm, info, ctx);
  const names = namesOf(info);
  const tiers = names.flatMap((infoHash) =>
    info.announceList.map((urls) => ({ infoHash, urls }))
  );
  const discovery = new Discovery({
    ...{ ctx, flags, at: listener, names },
    // BEP 12: the order within a tier is drawn by lot, so that its trackers share the load.
    tiers: tiers.map(({ urls }) => shuffled(urls, ctx.rng)),
    private: info.private,
    requestOf: (event, { numWant, tier }) => ({
      infoHash: tiers[tier]!.infoHash,
      peerId,
      port: listener.port,
      uploadedBytes: swarm.status.uploadedBytes,
      downloadedBytes: swarm.status.downloadedBytes,
      leftBytes: info.totalBytes - swarm.status.haveBytes,
      event,
      numWant,
      // Of a machine's many addresses the tracker must not take the one the request happens to come from.
      ...(/^(0\.0\.0\.0|::)$/.test(listener.host) ? {} : { ip: listener.host }),
    }),
    found: (peers, source) =>
      driver.feed({ kind: "peers-found", peers, source }),
  });
  driver.start(listener);
  driver.feed({ kind: "peers-found", peers: flags.peer, source: "user" });
  discovery.start();
  const end = new AbortController();
  const watching = progress.run(AbortSignal.any([end.signal, ctx.signal]));
  const looking = running.inventory.run(end.signal);
  looking.catch(() => {});
  try {
    await Promise.race([
      driver.failed,
      looking,
      untilDone(flags, { ...running, progress, discovery }, end.signal),
      hopeless(flags, { ...running, discovery }, end.signal),
      aborted(ctx.signal),
    ]);
    await discovery.stop();
    ctx.finish(resultOf(info, swarm, progress));
  } finally {
    end.abort();
    await driver.stop();
    await discovery.stop();
    await watching;
  }
}

/** The names peers know the torrent by: a hybrid has two, and is announced by both (BEP 52). */
function namesOf(info: TorrentInfo): Uint8Array[] {
  return info.version === "hybrid"
    ? [info.infoHash, info.infoHashV2!.subarray(0, HASH_BYTES)]
    : [info.infoHash];
}

/** Resolves when the flags say that we are done: at completion, or some time after it. */
async function untilDone(
  flags: ShareFlags,
  { info, swarm, driver, inventory, ctx, progress, discovery }: Running & {
    readonly progress: Progress;
    readonly discovery: Discovery;
  },
  signal: AbortSignal,
): Promise<void> {
  if (swarm.status.havePieces < info.pieceCount) {
    await driver.completed;
    await inventory.confirm();
    progress.complete();
    discovery.complete();
  }
  const leaves = flags.exitWhenComplete || flags.leaveWhenComplete;
  if (leaves && flags.seedFor === undefined) return;
  await sleep(flags.seedFor ?? Infinity, ctx, signal);
}

/** Rejects when in `--give-up-after` nobody was reached: no tracker, no DHT node, no peer. A seed waits for ever. */
async function hopeless(
  flags: ShareFlags,
  { info, swarm, driver, ctx, discovery }: Running & {
    readonly discovery: Discovery;
  },
  signal: AbortSignal,
): Promise<void> {
  if (flags.giveUpAfter > 0 && swarm.status.havePieces < info.pieceCount) {
    await sleep(flags.giveUpAfter, ctx, signal);
    if (!swarm.status.everConnected && !discovery.reachedAnyone) {
      const tried = [
        ...(driver.lastConnectFailure === ""
          ? []
          : [driver.lastConnectFailure]),
        ...discovery.failures,
      ];
      throw new RunError(
        "nothing-reached",
        `Cannot download "${info.name}": nobody was reached in ${
          formatMs(flags.giveUpAfter)
        }; ${tried.join("; ")}`,
      );
    }
  }
  await sleep(Infinity, ctx, signal);
}

/** Refuses a `--dir` that is no folder, before anything is opened. @throws {InputError} */
async function checkFolder(dir: string, { files }: RoleContext): Promise<void> {
  const stat = await files.stat(dir);
  if (stat === null || stat.kind !== "file") return;
  throw new InputError(`--dir must be a folder; ${dir} is a file`);
}

/** Resolves after `ms`, and when the signal aborts. */
async function sleep(
  ms: number,
  { clock }: RoleContext,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleepUntil(clock.nowMs() + ms, signal).catch(() => {});
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
