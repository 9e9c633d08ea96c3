import { InputError } from "../../lib/core/errors.ts";
import { isMagnet } from "../../lib/bittorrent/metainfo/magnet.ts";
import {
  HASH_BYTES,
  type Metainfo,
  type TorrentInfo,
} from "../../lib/bittorrent/metainfo/metainfo.ts";
import { PieceHashes } from "../../lib/bittorrent/metainfo/piece_hashes.ts";
import { Swarm } from "../../lib/bittorrent/swarm/swarm.ts";
import { hashing } from "../../lib/io/hash.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Discovery } from "../../lib/peer/discovery.ts";
import { newPeerId } from "../../lib/peer/peer_id.ts";
import { discoveryOf, type Self } from "../../lib/peer/share_discovery.ts";
import { readTorrent } from "../../lib/peer/read_torrent.ts";
import { SwarmDriver } from "../../lib/peer/swarm_driver.ts";
import { MetadataFetch, readMagnet } from "./fetch_metadata.ts";
import type { ShareFlags } from "./flags.ts";
import { Inventory } from "./disk/inventory.ts";
import { Progress } from "./account/progress.ts";
import { resultOf } from "./account/result.ts";
import { checkLimits, swarmOptions } from "./swarm_setup.ts";
import { WebSeeds } from "./web_seed_driver.ts";
import { hopeless } from "./hopeless.ts";

/** Downloads and serves a torrent until it is told to end, by a flag or from outside. */
export async function shareTorrent(
  flags: ShareFlags,
  ctx: RoleContext,
): Promise<void> {
  checkLimits(flags);
  const magnet = isMagnet(flags.operand) ? readMagnet(flags.operand) : null;
  if (magnet === null && flags.saveTorrent !== undefined) {
    throw new InputError("--save-torrent is for magnet links only");
  }
  const given = magnet === null
    ? await readTorrent(flags.operand, ctx.files)
    : null;
  await checkFolder(flags.dir, ctx);
  await using listener = ctx.net.listenTcp(flags);
  ctx.emit({
    type: "role.listening",
    transport: "tcp",
    host: listener.host,
    port: listener.port,
  });
  const self = { peerId: newPeerId(listener, ctx), listener, ctx };
  if (given !== null) return await shareKnown(flags, given, self);
  await using fetch = new MetadataFetch(flags, magnet!, self);
  const info = await fetch.run();
  if (info === null) return fetch.finish();
  await shareKnown(flags, info, self, fetch);
}

/** Shares a torrent that is known by now. @param fetch With a magnet link: what runs already. */
async function shareKnown(
  flags: ShareFlags,
  info: Metainfo,
  self: Self,
  fetch: MetadataFetch | null = null,
): Promise<void> {
  const { ctx } = self;
  const hashes = new PieceHashes(info, hashing);
  await using inventory = new Inventory(ctx, {
    ...{ info, hashes, folder: flags.dir },
  });
  await inventory.check({ force: flags.check });
  const { storage } = inventory;
  const have = storage.stored.indices();
  const content = { hashes, storage };
  const status = ({ status }: Swarm) => ({
    uploadedBytes: status.uploadedBytes,
    downloadedBytes: status.downloadedBytes,
    leftBytes: info.totalBytes - status.haveBytes,
  });
  if (fetch !== null) {
    const { driver, discovery } = fetch;
    if (info.private) await discovery.keepPrivate();
    const options = swarmOptions(flags, {
      ...{ info, hashes, have, self },
      dhtPort: discovery.dhtPort,
    });
    const swarm = fetch.goOn(options, content, status);
    const running = { info, swarm, driver, discovery, inventory, ctx };
    return await share(flags, running);
  }
  const discovery = discoveryOf(self, {
    ...{ flags, names: namesOf(info), announceList: info.announceList },
    ...{ nodes: info.nodes, private: info.private },
    status: () => status(swarm),
    found: (peers, source) =>
      driver.feed({ kind: "peers-found", peers, source }),
  });
  const options = swarmOptions(flags, {
    ...{ info, hashes, have, self },
    dhtPort: discovery.dhtPort,
  });
  const swarm = new Swarm(options, ctx.clock.nowMs());
  const driver = new SwarmDriver(swarm, {
    ...{ ctx, content },
    dhtNode: (node) => discovery.hint(node),
  });
  driver.start(self.listener);
  driver.feed({ kind: "peers-found", peers: flags.peer, source: "user" });
  discovery.start();
  await share(flags, { info, swarm, driver, discovery, inventory, ctx });
}

/** Everything that {@linkcode share} looks after. */
interface Running {
  readonly info: Metainfo;
  readonly swarm: Swarm;
  readonly driver: SwarmDriver;
  readonly discovery: Discovery;
  readonly inventory: Inventory;
  readonly ctx: RoleContext;
}

async function share(flags: ShareFlags, running: Running): Promise<void> {
  const { info, swarm, driver, discovery, ctx } = running;
  const progress = new Progress(swarm, info, ctx);
  const webSeeds = new WebSeeds({ info, swarm, driver, ctx });
  webSeeds.start();
  const end = new AbortController();
  using stop = new LinkedAbort(end.signal, ctx.signal);
  const watching = progress.run(stop.signal);
  const looking = running.inventory.run(end.signal);
  looking.catch(() => {});
  try {
    await Promise.race([
      driver.failed,
      looking,
      untilDone(flags, { ...running, progress }, end.signal),
      // A seed waits for ever.
      hopeless(
        swarm.status.havePieces < info.pieceCount ? flags.giveUpAfter : 0,
        {
          name: info.name,
          everConnected: () => swarm.status.everConnected,
          ...{ driver, discovery, ctx },
        },
        end.signal,
      ),
      pauseUntil(Infinity, ctx),
    ]);
    await discovery.stop();
    ctx.finish(resultOf(info, swarm, progress));
  } finally {
    end.abort();
    await webSeeds.stop();
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
  const { clock } = ctx;
  const seedForMs = flags.seedFor ?? Infinity;
  await pauseUntil(clock.nowMs() + seedForMs, { clock, signal });
}

/** Refuses a `--dir` that is no folder, before anything is opened. @throws {InputError} */
async function checkFolder(dir: string, { files }: RoleContext): Promise<void> {
  const stat = await files.stat(dir);
  if (stat === null || stat.kind !== "file") return;
  throw new InputError(`--dir must be a folder; ${dir} is a file`);
}
