import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { serveEdge } from "./serve.ts";

/** CDN node: a caching reverse proxy. */
export const edge: Role = {
  name: "edge",
  summary: "CDN node: caching reverse proxy in front of origins",
  events: [
    "role.listening",
    "edge.answered",
    "edge.summarized",
    "edge.fetched",
    "upstream.failed",
  ],
  examples: [
    "rolecall edge --origin http://127.0.0.1:8080/",
    "rolecall edge --origin http://10.0.0.1:8080/ --origin http://10.0.0.2:8080/ --cache-size 1GiB",
  ],
  modes: {
    serve: mode({
      summary: "Answer from the cache, fetch what is not in it from an origin",
      flags: {
        ...serverFlags({ port: 8081 }),
        origin: flag.list(flag.url({
          help:
            "Where the content comes from; further ones are asked while the first fails",
        })),
        cacheSize: flag.size({
          default: "256MiB",
          help: "Memory for cached content; one object may take half of it",
        }),
        limitRate: flag.byteRate({
          help: "Most data per second of all answers together: a busy link",
        }),
        originTimeout: flag.duration({
          default: "10s",
          help:
            "Longest wait for an origin's answer to begin, and for it to go on",
        }),
      },
      run: serveEdge,
    }),
  },
};
