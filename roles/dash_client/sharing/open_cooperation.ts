import { InputError } from "../../../lib/core/errors.ts";
import { openMpd } from "../../../lib/dash/mpd/mpd.ts";
import { MpdError } from "../../../lib/dash/mpd/xml.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { Fetcher } from "../network/fetcher.ts";
import type { PlayFlags } from "../flags.ts";
import { type FetchedManifest, fetchManifest } from "../source/live_source.ts";
import { resolverOf, urlOf } from "../source/manifest.ts";
import { Names } from "../network/names.ts";
import { Cooperation, swarmedOf } from "./cooperation.ts";
import { LiveCooperation } from "./live_cooperation.ts";
import {
  openTitleTorrent,
  type TitleTorrent,
  TORRENT_TIMEOUT_MS,
} from "./title_torrent.ts";

/** What the players of this process share. */
export type Sharing =
  | {
    readonly kind: "torrent";
    readonly torrent: TitleTorrent;
    readonly cooperation: Cooperation;
  }
  | { readonly kind: "live"; readonly cooperation: LiveCooperation };

/**
 * Prepares what `--cooperate` asks for; undefined without it.
 *
 * @throws {InputError} If flags contradict each other, or the torrent cannot be used.
 * @throws {RunError} If there is no torrent.
 */
export async function openCooperation(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<Sharing | undefined> {
  const { cooperate, peer, uploadLimit, host } = flags;
  if (!cooperate) return undefined;
  if (uploadLimit === 0) {
    throw new InputError("--upload-limit must be above 0");
  }
  const names = new Names(await resolverOf(flags, ctx), ctx);
  const timeoutMs = Math.max(flags.timeout, TORRENT_TIMEOUT_MS);
  const fetcher = new Fetcher(ctx, names, { timeoutMs });
  const url = urlOf(flags.operand);
  const sharing = { host, uploadLimit, peer };
  if (await isLiveAt(url, fetcher)) {
    if (flags.torrent === undefined) {
      const cooperation = new LiveCooperation(url, sharing);
      return { kind: "live", cooperation };
    }
    throw new InputError(
      "--torrent is for titles that are whole: this one is live, and no torrent has the hashes of what is not made yet",
    );
  }
  const torrent = await openTitleTorrent(flags, fetcher, ctx);
  const cooperation = new Cooperation(swarmedOf(torrent), sharing);
  return { kind: "torrent", torrent, cooperation };
}

/** A manifest that cannot be had or read is the player's business, which says so. */
async function isLiveAt(url: string, fetcher: Fetcher): Promise<boolean> {
  const got = await fetchManifest(url, fetcher);
  return got.ok && isLive(got);
}

function isLive({ text, url }: FetchedManifest): boolean {
  try {
    return openMpd(text, url).dynamic;
  } catch (error) {
    if (error instanceof MpdError) return false;
    throw error;
  }
}
