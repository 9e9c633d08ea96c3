import {
  flag,
  type FlagValues,
  HTTP_FLAGS,
  neverWith,
  onlyWith,
  serverFlags,
} from "../../lib/cli/flags.ts";

/** How an edge treats its origins. */
const originFlags = {
  originConnectTimeout: flag.duration({
    default: "3s",
    help: "Longest wait for a connection to an origin",
  }),
  originTimeout: flag.duration({
    default: "10s",
    help: "Longest wait for an origin's answer to begin",
  }),
  originIdleTimeout: flag.duration({
    help:
      "Longest pause within an origin's answer (default: as --origin-timeout)",
  }),
  originConnections: flag.count({
    default: "256",
    help: "Most requests at once to one origin; further ones wait",
  }),
  originQueue: flag.count({
    default: "1024",
    help: "Most requests that wait for one origin; further ones get 503",
  }),
  healthCheck: flag.text({
    placeholder: "PATH",
    help:
      "Ask every origin for this; one that fails twice is not used until it succeeds twice",
  }),
  ...onlyWith("healthCheck", {
    healthInterval: flag.duration({
      default: "5s",
      help: "Time between two health checks of an origin",
    }),
  }),
};

/** The edge in place of a course project's proxy. */
const courseFlags = {
  adapt: flag.probability({
    placeholder: "ALPHA",
    help:
      "Choose the rate for players that do not: weight of the newest segment in the average throughput, 0 to 1",
  }),
  courseLog: flag.choice(["none", "cmu", "umich", "cuhk"], {
    help: "With --adapt: a line per segment as that course's project logs it",
    default: "none",
  }),
  courseLogFile: flag.path({
    placeholder: "FILE",
    help: "Append the lines of --course-log to FILE (default: stdout)",
  }),
};

/** The flags of an edge. */
export const edgeFlags = {
  ...serverFlags({ port: 8081 }),
  origin: flag.list(flag.url({
    help:
      "Where the content comes from; further ones are asked while the first fails",
  })),
  cacheSize: flag.size({
    default: "256MiB",
    help: "Memory for cached content; one object may take half of it",
  }),
  cacheDir: flag.path({
    placeholder: "DIR",
    help:
      "Keep what is cached in this folder too, over restarts; one edge for each folder",
  }),
  ...onlyWith("cacheDir", {
    diskSize: flag.size({
      default: "10GiB",
      help: "Disk space for cached content, with --cache-dir",
    }),
  }),
  limitRate: flag.byteRate({
    help: "Most data per second of all answers together: a busy link",
  }),
  limitRatePerClient: flag.byteRate({
    help: "Most data per second to each client: its access link",
  }),
  prefill: flag.list(flag.url({
    help:
      "Fetch all segments of this manifest (DASH or HLS) of an origin in advance; of a live one, those that are there",
  })),
  prefetch: flag.toggle({
    help: "Fetch the next segment before a player asks for it",
  }),
  workers: flag.count({
    default: "1",
    help:
      "Threads that share the port and the cache: each keeps a part of the objects (Linux)",
  }),
  ...courseFlags,
  purgeToken: flag.text({
    placeholder: "TOKEN",
    secret: true,
    help:
      "Who knows it may purge: PURGE on the edge, POST /purge at --admin (default: nobody)",
  }),
  accessLog: flag.path({
    placeholder: "FILE",
    help: "Append a line for every answer to FILE",
  }),
  ...onlyWith("accessLog", {
    accessLogFormat: flag.choice(["combined", "common"], {
      help: "Format of --access-log",
      default: "combined",
    }),
  }),
  tls: flag.choice(["off", "self-signed"], {
    help: "Serve HTTPS with a certificate made at the start",
    default: "off",
  }),
  tlsCert: flag.path({
    placeholder: "FILE",
    help: "Serve HTTPS, HTTP/2 and HTTP/1.1, with this certificate chain (PEM)",
  }),
  tlsKey: flag.path({
    placeholder: "FILE",
    help: "The key of --tls-cert (PEM)",
  }),
  ...neverWith(["tls", "tlsCert"], HTTP_FLAGS),
  serverTiming: flag.toggle({
    help:
      "Say in Server-Timing how long every answer took; those to players that send CMCD always do",
  }),
  ...originFlags,
};

/** See {@linkcode edgeFlags}. */
export type EdgeFlags = FlagValues<typeof edgeFlags>;

/** The flags of the load client. */
export const loadFlags = {
  load: flag.url({
    help:
      "Ask for objects at URL: the segments of a manifest (.mpd), or numbers in the place of {n}",
  }),
  zipf: flag.number({
    default: "0.9",
    help: "Exponent of the popularity; 0 asks for all alike",
  }),
  requests: flag.count({ default: "1000", help: "Requests to make" }),
  catalogue: flag.count({
    help: "Objects to ask for (default: all of the manifest, or 1000)",
  }),
  against: flag.url({
    help: "Then ask this server for the same, and compare: the origin",
  }),
  concurrency: flag.count({ default: "8", help: "Requests at once" }),
  timeout: flag.duration({
    default: "10s",
    help: "Longest wait for an answer",
  }),
};

/** See {@linkcode loadFlags}. */
export type LoadFlags = FlagValues<typeof loadFlags>;
