/** How busy an edge is, by a metric of its own: the Prometheus text format 0.0.4, as `/metrics` has it. */
import { ProtocolError } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";

/** Samples of a metric: those with this name, and among their labels these. */
export interface MetricSelector {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)/y;

/** Reads `a="1",b="2"`; undefined if it is not that. */
function parseLabels(text: string): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) return undefined;
    labels.set(
      match[1]!,
      match[2]!.replace(/\\(.)/g, (_, of) => of === "n" ? "\n" : of),
    );
  }
  return labels;
}

/** Reads `NAME` or `NAME{label="value",…}`. @throws {RangeError} If it is neither. */
export function parseMetricSelector(text: string): MetricSelector {
  const name = NAME.exec(text)?.[0] ?? "";
  const rest = text.slice(name.length).trim();
  const labels = rest === ""
    ? new Map<string, string>()
    : /^\{.*\}$/.test(rest)
    ? parseLabels(rest.slice(1, -1))
    : undefined;
  if (name === "" || labels === undefined) {
    throw new RangeError(
      `must be the name of a metric, or one with labels such as requests_total{code="200"}, got "${text}"`,
    );
  }
  return { name, labels };
}

/** No edge is so busy: loads are added up, and one beyond all measure would leave no number to compare. */
const MAX_LOAD = 1e18;

/** The samples of a page: lines `name{labels} value [timestamp]`. Other lines are left out. */
function* samples(
  page: string,
): Generator<{ readonly name: string; labels: string; value: number }> {
  for (const line of page.split("\n")) {
    const match =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+([^\s]+)(?:\s+-?[0-9]+)?\s*$/
        .exec(line);
    const value = Number(match?.[3]);
    if (match === null || Number.isNaN(value)) continue;
    yield { name: match[1]!, labels: match[2] ?? "", value };
  }
}

/**
 * Reads one edge's load from its pages. A metric whose name ends with `_total` is a counter: its load is how much it grew
 * per second since the page before. Any other is taken as it is. Samples that a selector matches, and selectors, are added up.
 */
export class LoadMeter {
  readonly #metrics: readonly MetricSelector[];
  readonly #isRate: boolean;
  #before: { readonly sum: number; readonly atMs: number } | undefined;

  /** Makes a meter that has seen no page. @throws {RangeError} If some of `metrics` are counters and others not. */
  constructor(metrics: readonly MetricSelector[]) {
    const counters = metrics.filter(({ name }) => name.endsWith("_total"));
    if (counters.length !== 0 && counters.length !== metrics.length) {
      throw new RangeError("must be counters all, or none of them");
    }
    this.#metrics = metrics;
    this.#isRate = counters.length > 0;
  }

  /**
   * Reads a page; undefined if it tells no rate yet: the first one, or the first after the edge has started anew.
   *
   * @throws {ProtocolError} `no-metric` if the page has no metrics, or not this one (a counter may be missing, and is then 0);
   * `bad-metric` if its value is beyond all measure.
   */
  read(page: string, nowMs: number): number | undefined {
    let sum = 0;
    let found = 0;
    let all = 0;
    for (const { name, labels, value } of samples(page)) {
      all += 1;
      const matching = this.#metrics.filter((metric) => metric.name === name);
      if (matching.length === 0) continue;
      const own = parseLabels(labels);
      const counts = matching.filter((metric) =>
        [...metric.labels].every(([label, wanted]) =>
          own?.get(label) === wanted
        )
      ).length;
      sum += counts * value;
      found += counts;
    }
    if (all === 0 || (found === 0 && !this.#isRate)) {
      throw new ProtocolError(
        "no-metric",
        `Cannot read the load: there is no ${
          this.#metrics[0]?.name ?? "metric"
        } among ${all} samples`,
      );
    }
    if (!(Math.abs(sum) <= MAX_LOAD)) {
      throw new ProtocolError(
        "bad-metric",
        `Cannot read the load: ${
          this.#metrics[0]?.name ?? "metric"
        } must be at most ${MAX_LOAD}, got ${sum}`,
      );
    }
    if (!this.#isRate) return sum;
    const before = this.#before;
    this.#before = { sum, atMs: nowMs };
    if (before === undefined || sum < before.sum || nowMs <= before.atMs) {
      return undefined;
    }
    return (sum - before.sum) * 1000 / (nowMs - before.atMs);
  }

  /** Returns a load for a person. */
  format(load: number): string {
    const counted = /bytes/.test(this.#metrics[0]?.name ?? "")
      ? formatBytes(load)
      : String(Number(load.toPrecision(3)));
    return this.#isRate ? `${counted}/s` : counted;
  }
}

/** What our edges tell: the bytes that they sent to their clients. */
export const EDGE_LOAD_METRICS: readonly MetricSelector[] = [
  parseMetricSelector('rolecall_event_bytes_total{type="edge.answered"}'),
  parseMetricSelector('rolecall_event_bytes_total{type="edge.summarized"}'),
];
