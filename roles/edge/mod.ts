import { mode, type Role } from "../../lib/role.ts";
import { edgeFlags, loadFlags } from "./flags.ts";
import { runLoad } from "./load/load.ts";
import { serveEdge } from "./serve.ts";

/** CDN node: a caching reverse proxy. */
export const edge: Role = {
  name: "edge",
  summary: "CDN node: caching reverse proxy in front of origins",
  events: [
    "role.listening",
    "engine.rejected",
    "edge.answered",
    "edge.summarized",
    "edge.fetched",
    "cache.restored",
    "cache.damaged",
    "cache.failed",
    "cache.skipped",
    "upstream.failed",
    "upstream.suspended",
    "upstream.restored",
    "upstream.lagged",
    "upstream.checked",
    "upstream.refused",
    "cache.purged",
    "purge.refused",
    "player.reported",
    "prefill.started",
    "prefill.progressed",
    "prefill.finished",
    "segment.prefetched",
    "rate.adapted",
    "title.learned",
    "title.refused",
    "load.progressed",
    "load.finished",
  ],
  examples: [
    "rolecall edge --origin http://127.0.0.1:8080/",
    "rolecall edge --origin http://10.0.0.1:8080/ --origin http://10.0.0.2:8080/ --cache-size 1GiB",
    "rolecall edge --origin http://10.0.0.1:8080/ --cache-dir /var/cache/rolecall --disk-size 20GiB",
    "rolecall edge --load http://127.0.0.1:8081/manifest.mpd --requests 500 --against http://127.0.0.1:8080/",
  ],
  modes: {
    serve: mode({
      endless: true,
      summary: "Answer from the cache, fetch what is not in it from an origin",
      flags: edgeFlags,
      run: serveEdge,
    }),
    load: mode({
      summary: "Measure an edge: requests by Zipf's law, hit ratio and time",
      chosenBy: "load",
      flags: loadFlags,
      run: runLoad,
    }),
  },
};
