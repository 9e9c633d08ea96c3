import { InputError } from "../../../lib/core/errors.ts";
import { openMpd } from "../../../lib/dash/mpd/mpd.ts";
import { MpdError } from "../../../lib/dash/mpd/xml.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { Fetcher } from "../network/fetcher.ts";
import type { PlayFlags } from "../flags.ts";
import { type FetchedManifest, fetchManifest } from "../source/live_source.ts";
import { resolverOf, urlOf } from "../source/manifest.ts";
import { Names } from "../network/names.ts";
import { Cooperation } from "./cooperation.ts";
import { openTitleTorrent, TORRENT_TIMEOUT_MS } from "./title_torrent.ts";

/**
 * Prepares what `--cooperate` asks for; undefined without it.
 *
 * @throws {InputError} If flags contradict each other the title is live, or the torrent cannot be used.
 * @throws {RunError} If there is no torrent.
 */
export async function openCooperation(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<Cooperation | undefined> {
  const { cooperate, peer, uploadLimit, host } = flags;
  if (!cooperate) return undefined;
  if (uploadLimit === 0) {
    throw new InputError("--upload-limit must be above 0");
  }
  const names = new Names(await resolverOf(flags, ctx), ctx);
  const timeoutMs = Math.max(flags.timeout, TORRENT_TIMEOUT_MS);
  const fetcher = new Fetcher(ctx, names, { timeoutMs });
  await refuseLive(urlOf(flags.operand), fetcher);
  const title = await openTitleTorrent(flags, fetcher, ctx);
  return new Cooperation(title, { host, uploadLimit, peer });
}

/** A manifest that cannot be had or read is the player's business, which says so. @throws {InputError} If it is live. */
async function refuseLive(url: string, fetcher: Fetcher): Promise<void> {
  const got = await fetchManifest(url, fetcher);
  if (!got.ok || !isLive(got)) return;
  throw new InputError(
    "--cooperate is for titles that are whole: this one is live, and a torrent must have the hashes of segments that are not made yet",
  );
}

function isLive({ text, url }: FetchedManifest): boolean {
  try {
    return openMpd(text, url).dynamic;
  } catch (error) {
    if (error instanceof MpdError) return false;
    throw error;
  }
}
