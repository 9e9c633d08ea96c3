import { RunError } from "../../lib/core/errors.ts";
import { formatMs } from "../../lib/core/units.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Discovery } from "../../lib/peer/discovery.ts";
import type { SwarmDriver } from "../../lib/peer/swarm_driver.ts";

/** Rejects when in `giveUpAfterMs` nobody was reached: no tracker, no DHT node, no peer. With 0 it waits for ever. */
export async function hopeless(
  giveUpAfterMs: number,
  { name, everConnected, driver, discovery, ctx: { clock } }: {
    readonly name: string;
    readonly everConnected: () => boolean;
    readonly driver: SwarmDriver;
    readonly discovery: Discovery;
    readonly ctx: RoleContext;
  },
  signal: AbortSignal,
): Promise<void> {
  if (giveUpAfterMs > 0) {
    await pauseUntil(clock.nowMs() + giveUpAfterMs, { clock, signal });
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
  await pauseUntil(Infinity, { clock, signal });
}
