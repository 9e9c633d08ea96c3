import { RunError } from "../../lib/core/errors.ts";
import { formatMs } from "../../lib/core/units.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Discovery } from "../../lib/peer/discovery.ts";
import type { SwarmDriver } from "../../lib/peer/swarm_driver.ts";

/** Rejects when in `giveUpAfterMs` nobody was reached: no tracker, no DHT node, no peer. With 0 it waits for ever. */
export async function hopeless(
  giveUpAfterMs: number,
  { name, everConnected, driver, discovery, ctx }: {
    readonly name: string;
    readonly everConnected: () => boolean;
    readonly driver: SwarmDriver;
    readonly discovery: Discovery;
    readonly ctx: RoleContext;
  },
  signal: AbortSignal,
): Promise<void> {
  if (giveUpAfterMs > 0) {
    await sleep(giveUpAfterMs, ctx, signal);
    if (!everConnected() && !discovery.reachedAnyone) {
      const tried = [
        ...(driver.lastConnectFailure === ""
          ? []
          : [driver.lastConnectFailure]),
        ...discovery.failures,
      ];
      throw new RunError(
        "nothing-reached",
        `Cannot download "${name}": nobody was reached in ${
          formatMs(giveUpAfterMs)
        }; ${tried.join("; ")}`,
      );
    }
  }
  await sleep(Infinity, ctx, signal);
}

/** Resolves after `ms`, and when the signal aborts. */
export async function sleep(
  ms: number,
  { clock }: RoleContext,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleepUntil(clock.nowMs() + ms, signal).catch(() => {});
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
