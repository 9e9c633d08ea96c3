import {
  type Flag,
  flag,
  type FlagValues,
  onlyWith,
} from "../../lib/cli/flags.ts";
import { InputError } from "../../lib/core/errors.ts";
import {
  type HealthRules,
  longestTimeoutMs,
} from "../../lib/dns/edge_health.ts";
import {
  EDGE_LOAD_METRICS,
  type MetricSelector,
  parseMetricSelector,
} from "../../lib/dns/load_meter.ts";

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
  healthCheck: {
    ...flag.text({
      placeholder: "tcp|PATH",
      help:
        "Checks the edges, and answers with those in service: that they take TCP connections, or what they answer to GET PATH (off unless given; tcp with --policy latency)",
    }),
    parse(text: string) {
      if (text === "tcp" || /^\/[\x21-\x7e]*$/.test(text)) return text;
      throw new RangeError(
        `must be tcp, or a path such as /healthz, got "${text}"`,
      );
    },
  } as Flag<string | undefined>,
  healthPort: flag.port({
    default: "8081",
    help: "Port that is checked, unless an edge has its own (port=N)",
  }),
  ...onlyWith("healthCheck", {
    healthHost: flag.text({
      placeholder: "NAME",
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
  loadMetric: {
    ...flag.text({
      placeholder: 'NAME[{LABEL="VALUE"}]',
      help:
        "Metric that tells the load; of one that ends with _total the growth per second (default: the bytes that our edges send)",
    }),
    parse: parseMetricSelector,
  } as Flag<MetricSelector | undefined>,
};

/** The values of {@linkcode WATCH_FLAGS}. */
export type WatchFlagValues = FlagValues<typeof WATCH_FLAGS>;

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
