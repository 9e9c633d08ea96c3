import { type EventRecord, EVENTS } from "../events/mod.ts";
import type { Sink } from "./emitter.ts";

/**
 * Counters made of nothing but events: how many of each type (with the labels its table row names; one that stands for
 * several counts as these), and the sums of their byte fields. The Prometheus text format 0.0.4.
 */
export class Metrics {
  readonly #counts = new Map<string, number>();
  readonly #bytes = new Map<string, number>();
  readonly #info: string;

  /** Creates empty counters of the role `who`. */
  constructor(
    who: {
      readonly role: string;
      readonly name: string;
      readonly version: string;
    },
  ) {
    const { role, name, version } = who;
    this.#info = labels({ role, name, version });
  }

  /** Counts an event. */
  readonly sink: Sink = (event) => {
    const fields = event as unknown as Readonly<Record<string, unknown>>;
    const named: Record<string, string> = { type: event.type };
    for (const label of EVENTS[event.type].labels ?? []) {
      named[label] = String(fields[label]);
    }
    add(this.#counts, labels(named), "times" in event ? event.times : 1);
    for (const field of byteFields(event)) {
      add(
        this.#bytes,
        labels({ ...named, field }),
        fields[field] as number,
      );
    }
  };

  /** Returns the page of `/metrics`. */
  text(): string {
    return [
      "# HELP rolecall_info Which role this is.",
      "# TYPE rolecall_info gauge",
      `rolecall_info${this.#info} 1`,
      "# HELP rolecall_events_total Events by type.",
      "# TYPE rolecall_events_total counter",
      ...[...this.#counts].map(([key, n]) =>
        `rolecall_events_total${key} ${n}`
      ),
      "# HELP rolecall_event_bytes_total Sums of the byte fields of events.",
      "# TYPE rolecall_event_bytes_total counter",
      ...[...this.#bytes].map(([key, n]) =>
        `rolecall_event_bytes_total${key} ${n}`
      ),
      "",
    ].join("\n");
  }
}

function add(map: Map<string, number>, key: string, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount);
}

function byteFields(event: EventRecord): readonly string[] {
  return Object.entries(event)
    .filter(([key, value]) =>
      typeof value === "number" && /(^b|B)ytes$/.test(key)
    )
    .map(([key]) => key);
}

function labels(pairs: Readonly<Record<string, string>>): string {
  const text = Object.entries(pairs).map(([key, value]) =>
    `${key}="${
      value.replace(/["\\\n]/g, (c) => c === "\n" ? "\\n" : `\\${c}`)
    }"`
  );
  return `{${text.join(",")}}`;
}
