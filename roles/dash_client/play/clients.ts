import { InputError, messageOf, RunError } from "../../../lib/core/errors.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Sharing } from "../sharing/open_cooperation.ts";
import type { PlayFlags } from "../flags.ts";
import type { Link } from "../network/link.ts";
import { type PlayedClient, showClients } from "./clients_result.ts";
import { playOne } from "./play_one.ts";

/** More players than this in one process would measure the process. */
const MAX_CLIENTS = 1000;

/**
 * Plays a title with several players at once, `--stagger` after each other, on one network: who gets what of it?
 *
 * @throws {RunError} `clients-failed` after the result, if some did not play to the end.
 */
export async function playMany(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
  { link, cooperation }: {
    readonly link: Link | undefined;
    readonly cooperation: Sharing | undefined;
  },
): Promise<void> {
  if (flags.clients > MAX_CLIENTS) {
    throw new InputError(
      `--clients must be at most ${MAX_CLIENTS}, got ${flags.clients}`,
    );
  }
  const startedAtMs = ctx.clock.nowMs();
  const playNumber = async (number: number): Promise<PlayedClient | Error> => {
    try {
      const atMs = startedAtMs + (number - 1) * flags.stagger / flags.speed;
      await ctx.clock.sleepUntil(atMs, ctx.signal);
      const once = await playOne(flags, clientOf(ctx, number), {
        ...{ link, cooperation },
      });
      const beganAtMs = once.beganAtMs - startedAtMs * flags.speed;
      return { ...once, number, beganAtMs };
    } catch (error) {
      // A flag that is wrong is wrong for all of them.
      if (error instanceof InputError) throw error;
      return error as Error;
    }
  };
  const numbers = Array.from({ length: flags.clients }, (_, at) => at + 1);
  const all = await Promise.all(numbers.map(playNumber));
  const clients = all.flatMap((each) => each instanceof Error ? [] : [each]);
  const failures = all.flatMap((each) =>
    each instanceof Error ? [each] : each.failure ?? []
  );
  if (ctx.signal.aborted && clients.length === 0) return;
  const foreign = failures.find((error) =>
    !(error instanceof RunError) && !ctx.signal.aborted
  );
  if (foreign !== undefined) throw foreign;
  if (clients.length > 0) {
    ctx.finish(showClients(clients, link?.trace));
  }
  if (failures.length === 0 || ctx.signal.aborted) return;
  throw new RunError(
    "clients-failed",
    `${failures.length} of ${flags.clients} players did not play to the end, the first because: ${
      messageOf(failures[0])
    }`,
  );
}

/** The same world, in which events say whose they are: the name in their frame is the player's. */
function clientOf(ctx: RoleContext, number: number): RoleContext {
  const name = `client ${number}`;
  return { ...ctx, name, emit: (event) => ctx.emit({ ...event, ...{ name } }) };
}
