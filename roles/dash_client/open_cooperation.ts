import { InputError } from "../../lib/core/errors.ts";
import type { RoleContext } from "../../lib/role.ts";
import { Cooperation } from "./cooperation.ts";
import { Fetcher } from "./fetcher.ts";
import type { PlayFlags } from "./flags.ts";
import { resolverOf } from "./manifest.ts";
import { Names } from "./names.ts";
import { openTitleTorrent, TORRENT_TIMEOUT_MS } from "./title_torrent.ts";

/**
 * Prepares what `--cooperate` asks for; undefined without it.
 *
 * @throws {InputError} If flags contradict each other or the torrent cannot be used.
 * @throws {RunError} If there is no torrent.
 */
export async function openCooperation(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<Cooperation | undefined> {
  const { cooperate, torrent, peer, uploadLimit, host } = flags;
  if (!cooperate) {
    if (torrent === undefined && peer.length === 0 && !uploadLimit) {
      return undefined;
    }
    throw new InputError(
      "--torrent, --peer and --upload-limit say how to --cooperate; without it nothing is shared",
    );
  }
  if (uploadLimit === 0) {
    throw new InputError("--upload-limit must be above 0");
  }
  const names = new Names(await resolverOf(flags, ctx), ctx);
  const timeoutMs = Math.max(flags.timeout, TORRENT_TIMEOUT_MS);
  const fetcher = new Fetcher(ctx, names, { timeoutMs });
  const title = await openTitleTorrent(flags, fetcher, ctx);
  return new Cooperation(title, { host, uploadLimit, peer });
}
