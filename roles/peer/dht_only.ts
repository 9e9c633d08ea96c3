import type { HostPort } from "../../lib/cli/flags.ts";
import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import { type Mode, mode, type RoleContext } from "../../lib/role.ts";
import { DhtDriver } from "../../lib/peer/dht_driver.ts";
import { DHT_NODE_FLAG } from "./discovery_flags.ts";

const FLAGS = {
  dhtOnly: flag.toggle({
    help: "Is a node of the DHT, without a torrent",
  }),
  ...serverFlags({ port: 6881 }),
  dhtNode: DHT_NODE_FLAG,
};

/** What a class without a tracker starts first: a DHT node that shares nothing, for the others to join through. */
export const dhtOnlyMode: Mode<typeof FLAGS> = mode({
  summary:
    "Is a node of the DHT and nothing else: the one a class starts first, and names with --dht-node",
  chosenBy: "dhtOnly",
  endless: true,
  flags: FLAGS,
  run: runDhtNode,
});

async function runDhtNode(
  { host, port, dhtNode }: {
    readonly host: string;
    readonly port: number;
    readonly dhtNode: readonly HostPort[];
  },
  ctx: RoleContext,
): Promise<void> {
  const at = { host, port };
  const node = new DhtDriver({ ctx, at, named: dhtNode, samePort: true });
  node.start();
  try {
    await pauseUntil(Infinity, ctx);
  } finally {
    await node.stop();
  }
}
