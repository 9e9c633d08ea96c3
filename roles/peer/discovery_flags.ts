import { flag } from "../../lib/cli/flags.ts";

/** Nodes to join through. There are none built in: a lab has no Internet, and what a class shares is not for the world. */
export const DHT_NODE_FLAG = flag.list(flag.hostPort({
  help:
    "A node through which to join the DHT; --create writes it into the torrent",
}));

/** Where to search for peers, beside the trackers. */
export const DISCOVERY_FLAGS = {
  dht: flag.choice(["auto", "on", "off"], {
    default: "auto",
    help:
      "Searches peers in the DHT: auto for torrents that name no tracker, and with --dht-node; never for private ones",
  }),
  dhtNode: DHT_NODE_FLAG,
  lsd: flag.choice(["auto", "on", "off"], {
    default: "auto",
    help:
      "Searches peers on the LAN by multicast: auto for torrents that name no tracker; never for private ones",
  }),
};
