import { InputError } from "../../../lib/core/errors.ts";
import {
  DEFAULT_GIVE_UP,
  DEFAULT_QUALITY,
  DEFAULT_TIMEOUT,
  PLAY_FLAGS,
  type PlayFlags,
  type SimulateFlags,
  SOURCE_FLAGS,
} from "../flags.ts";

/**
 * Refuses `--quality` with a rule that chooses by itself. A rule that is `all` has `fixed` among them.
 *
 * @throws {InputError}
 */
export function checkQuality(
  { abr, quality }: Pick<PlayFlags, "abr" | "quality">,
): void {
  if (quality === DEFAULT_QUALITY || abr === "fixed" || abr === "all") return;
  throw new InputError(
    `--quality has no effect with --abr ${abr}, which chooses the rate by itself: it is that of --abr fixed`,
  );
}

/** Refuses with `--abr all` what virtual time does not have. @throws {InputError} */
export function checkVirtual(flags: PlayFlags): void {
  const idle = [
    ["--clients", flags.clients !== 1],
    ["--cooperate", flags.cooperate],
    ["--cmcd", flags.cmcd !== undefined],
    ["--tracks", flags.tracks !== "all"],
    ["--start-at", flags.startAt !== undefined],
    ["--seek", flags.seek.length > 0],
    ["--speed", flags.speed !== 1],
    [
      "--give-up-after",
      flags.giveUpAfter !== PLAY_FLAGS.giveUpAfter.parse(DEFAULT_GIVE_UP),
    ],
  ] as const;
  const name = idle.find(([, given]) => given)?.[0];
  if (name === undefined) return;
  throw new InputError(
    `${name} has no effect with --abr all, which plays in virtual time`,
  );
}

/** Refuses what says how to fetch a manifest where none is fetched. @throws {InputError} */
export function checkFetching(
  flags: Pick<
    SimulateFlags,
    "resolver" | "host" | "clientSubnet" | "timeout"
  >,
): void {
  const usual = SOURCE_FLAGS.timeout.parse(DEFAULT_TIMEOUT);
  const idle = [
    ["--resolver", flags.resolver !== undefined],
    ["--host", flags.host !== ""],
    ["--client-subnet", flags.clientSubnet !== undefined],
    ["--timeout", flags.timeout !== usual],
  ] as const;
  const name = idle.find(([, given]) => given)?.[0];
  if (name === undefined) return;
  throw new InputError(
    `${name} has no effect without the URL of a manifest: nothing is fetched`,
  );
}
