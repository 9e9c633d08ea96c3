import {
  flag,
  flagKind,
  type FlagValues,
  onlyWith,
} from "../../../lib/cli/flags.ts";
import { kebab } from "../../../lib/cli/role_shape.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { isUrlHost } from "../../../lib/dns/authority/zone_flags.ts";
import type { ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import type { PolicyName } from "../../../lib/dns/select/mod.ts";
import {
  type HealthRules,
  longestTimeoutMs,
} from "../../../lib/dns/edge_health.ts";
import {
  EDGE_LOAD_METRICS,
  type MetricSelector,
  parseMetricSelector,
} from "../../../lib/dns/load_meter.ts";

/** Longest wait for a check, unless the interval asks for less or a flag says otherwise. */
const USUAL_TIMEOUT_MS = 1000;

/** Checks more often than this would be a load themselves. */
const MIN_INTERVAL_MS = 100;

/** What watching edges tells. */
export const WATCH_EVENTS = [
  "edge.failed",
  "edge.recovered",
  "edges.exhausted",
  "distance.measured",
  "load.measured",
  "load.missed",
] as const;

/** The flags that say how edges are watched. */
export const WATCH_FLAGS = {
  healthCheck: flagKind("tcp|PATH", parseCheck)({
    help:
      "Checks the edges, and answers with those in service: that they take TCP connections, or what they answer to GET PATH (off unless given; tcp with --policy latency)",
  }),
  healthPort: flag.port({
    default: "8081",
    help: "Port that is checked, unless an edge has its own (port=N)",
  }),
  ...onlyWith("healthCheck", {
    healthHost: flagKind("NAME", parseUrlHost)({
      help: "Host that GET names (default: the edge's address)",
    }),
    healthStatus: flag.count({
      default: "200",
      help: "Status that an edge in service answers to GET",
    }),
    healthBody: flag.text({ help: "Text that must be in the answer to GET" }),
  }),
  healthInterval: flag.duration({
    default: "5s",
    help: "Time between two checks of an edge, and two readings of its load",
  }),
  healthTimeout: flag.duration({
    help:
      "Longest wait for a check, at most the interval divided by --health-fall (default: that, or 1s)",
  }),
  healthRise: flag.count({
    default: "2",
    help: "Checks in a row that bring an edge back",
  }),
  healthFall: flag.count({
    default: "2",
    help: "Checks in a row that take an edge out, within two intervals",
  }),
  loadPort: flag.port({
    default: "9100",
    help:
      "Port of the edges' --admin, where --policy load reads, unless an edge has its own (admin=[ADDR:]PORT)",
  }),
  loadPath: flag.text({
    placeholder: "PATH",
    default: "/metrics",
    help: "Page of metrics that --policy load reads",
  }),
  loadMetric: flagKind('NAME[{LABEL="VALUE"}]', parseMetricSelector)({
    help:
      "Metric that tells the load; of one that ends with _total the growth per second (default: the bytes that our edges send)",
  }),
};

function parseCheck(text: string): string {
  if (text === "tcp" || /^\/[\x21-\x7e]*$/.test(text)) return text;
  throw new RangeError(
    `must be tcp, or a path such as /healthz, got "${text}"`,
  );
}

function parseUrlHost(text: string): string {
  if (isUrlHost(text)) return text;
  throw new RangeError(
    `must be a host such as video.kingcdn.example, perhaps with a port, got "${text}"`,
  );
}

/** The values of {@linkcode WATCH_FLAGS}. */
export type WatchFlagValues = FlagValues<typeof WATCH_FLAGS>;

/** What must go on so that a flag has an effect, and how that is asked for. */
const WATCHES = {
  check: "--health-check or --policy latency",
  any: "--health-check, or --policy latency or load",
} as const;

/** What the flags that have a default, or none, are about. */
const WATCHED_BY = {
  healthPort: "check",
  healthRise: "check",
  // How long a reading of the load may take depends on these three, too
  healthFall: "any",
  healthInterval: "any",
  healthTimeout: "any",
} as const satisfies Partial<
  Record<keyof WatchFlagValues, keyof typeof WATCHES>
>;

/**
 * Refuses flags of checks that would do nothing with these zones: they have no edge that is checked. What a policy goes by,
 * sites, weights and where a load is read, may be there with any: to compare policies one changes that flag alone.
 *
 * @throws {InputError} That says what it takes. One given as it is by default counts as not given.
 */
export function refuseIdle(flags: WatchFlagValues, zones: ZoneTable): void {
  const redirects = zones.redirects();
  const isBy = (policy: PolicyName) =>
    redirects.some(({ redirect }) => redirect.steering.parts.includes(policy));
  const { healthCheck } = flags;
  if (healthCheck !== undefined && redirects.length === 0) {
    throw new InputError(
      "--health-check has nothing to check: no name leads to edges (one of --domain, or one with several addresses in --zone)",
    );
  }
  const check = healthCheck !== undefined || isBy("latency");
  const goesOn = { check, any: check || isBy("load") };
  for (const key of keysOf(WATCHED_BY)) {
    const by = WATCHED_BY[key];
    if (goesOn[by] || !isGiven(key, flags)) continue;
    throw new InputError(
      `--${kebab(key)} has no effect without ${WATCHES[by]}`,
    );
  }
  const ofGet = ["healthHost", "healthStatus", "healthBody"] as const;
  const idle = ofGet.find((key) => isGiven(key, flags));
  if (healthCheck === "tcp" && idle !== undefined) {
    throw new InputError(
      `--${
        kebab(idle)
      } has no effect with --health-check tcp: it is about what a GET is answered with`,
    );
  }
}

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(record) as K[];
}

function isGiven(key: keyof WatchFlagValues, flags: WatchFlagValues): boolean {
  const { defaultText, parse } = WATCH_FLAGS[key];
  const value = flags[key];
  return value !== undefined &&
    (defaultText === undefined || value !== parse(defaultText));
}

/** How edges are watched. */
export interface WatchRules extends HealthRules {
  readonly timeoutMs: number;
  /** Undefined if edges are only checked when a policy measures them. */
  readonly check: string | undefined;
  readonly port: number;
  readonly host: string | undefined;
  readonly status: number;
  readonly body: string | undefined;
  readonly loadPort: number;
  readonly loadPath: string;
  readonly loadMetrics: readonly MetricSelector[];
}

/** @throws {InputError} If an edge could not be out within two intervals by these flags. */
export function watchRules(flags: WatchFlagValues): WatchRules {
  const { healthInterval, healthFall, healthRise } = flags;
  if (healthInterval < MIN_INTERVAL_MS) {
    throw new InputError(
      `--health-interval must be at least ${MIN_INTERVAL_MS}ms, got ${healthInterval}ms`,
    );
  }
  for (
    const [name, value] of [["fall", healthFall], ["rise", healthRise]] as const
  ) {
    if (value < 1 || value > 100) {
      throw new InputError(`--health-${name} must be 1 to 100, got ${value}`);
    }
  }
  const rules = {
    intervalMs: healthInterval,
    fall: healthFall,
    rise: healthRise,
  };
  const longestMs = longestTimeoutMs(rules);
  const timeoutMs = flags.healthTimeout ??
    Math.min(USUAL_TIMEOUT_MS, longestMs);
  if (timeoutMs <= 0 || timeoutMs > longestMs) {
    throw new InputError(
      `--health-timeout must be more than 0 and at most ${longestMs}ms (the interval by --health-fall ${healthFall}), so that an edge is out within two intervals, got ${timeoutMs}ms`,
    );
  }
  if (flags.healthStatus < 200 || flags.healthStatus > 599) {
    throw new InputError(
      `--health-status must be 200 to 599, got ${flags.healthStatus}`,
    );
  }
  if (!/^\/[\x21-\x7e]*$/.test(flags.loadPath)) {
    throw new InputError(
      `--load-path must be a path such as /metrics, got "${flags.loadPath}"`,
    );
  }
  return {
    ...rules,
    timeoutMs,
    check: flags.healthCheck,
    port: flags.healthPort,
    host: flags.healthHost,
    status: flags.healthStatus,
    body: flags.healthBody,
    loadPort: flags.loadPort,
    loadPath: flags.loadPath,
    loadMetrics: flags.loadMetric === undefined
      ? EDGE_LOAD_METRICS
      : [flags.loadMetric],
  };
}
