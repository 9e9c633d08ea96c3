import { InputError } from "../../lib/core/errors.ts";
import { SteadyClock } from "../../lib/io/steady_clock.ts";
import type { RoleContext } from "../../lib/role.ts";
import { checkBuffers } from "./checks/buffers.ts";
import { checkQuality, checkVirtual } from "./checks/idle.ts";
import { playMany } from "./play/clients.ts";
import type { PlayFlags } from "./flags.ts";
import { openLink } from "./network/link.ts";
import { checkDuration } from "./source/manifest.ts";
import { openCooperation } from "./sharing/open_cooperation.ts";
import { playOne } from "./play/play_one.ts";
import { showPlay } from "./result/result.ts";
import { simulate } from "./simulate/simulate.ts";

/** Plays a title without showing it: requests, measures, adapts, buffers, and reports. */
export async function playTitle(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<void> {
  checkQuality(flags);
  if (flags.abr === "all") {
    checkVirtual(flags);
    return simulate({
      ...flags,
      live: false,
      chunk: undefined,
      segment: undefined,
    }, ctx);
  }
  if (flags.operand === "") {
    throw new InputError(
      "the manifest's URL is missing, such as http://127.0.0.1:8080/manifest.mpd; only --simulate and --abr all do without",
    );
  }
  if (flags.speed === 0) throw new InputError("--speed must be above 0");
  checkBuffers(flags);
  checkDuration(flags);
  if ((flags.catchUp ?? 0) > 0.5) {
    throw new InputError("--catch-up must be at most 0.5, half as fast again");
  }
  if (flags.clients === 0) throw new InputError("--clients must be at least 1");
  // Over a trace it is the trace that counts, not how busy this machine is.
  const steady: RoleContext = flags.trace === undefined
    ? ctx
    : { ...ctx, clock: new SteadyClock(ctx.clock) };
  const link = await openLink(flags, steady);
  const cooperation = await openCooperation(flags, steady);
  const shared = { link, cooperation };
  if (flags.clients > 1) return playMany(flags, steady, shared);
  const { played, failure } = await playOne(flags, steady, shared);
  ctx.finish(showPlay(played));
  if (failure !== undefined) throw failure;
}
