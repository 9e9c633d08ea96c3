import type { EventRecord, RolecallEvent } from "../events/mod.ts";
import type { Clock } from "../io/clock.ts";

/** Something that reads the stream of events. It must not throw and not wait. */
export type Sink = (event: EventRecord) => void;

/**
 * Returns the `emit` of a RoleContext: wraps each event with who said it and when, and hands it to every sink in order.
 * What a sink itself emits, such as that a file cannot be written, comes after what it was given.
 */
export function emitter(
  who: { readonly role: string; readonly name: string },
  clock: Clock,
  sinks: readonly Sink[],
): (event: RolecallEvent) => void {
  let seq = 0;
  const waiting: EventRecord[] = [];
  let telling = false;
  return (event) => {
    seq += 1;
    const record: EventRecord = {
      seq,
      time: new Date(clock.wallMs()).toISOString(),
      atMs: Math.round(clock.nowMs() * 1000) / 1000,
      ...who,
      ...event,
    };
    waiting.push(record);
    if (telling) return;
    telling = true;
    try {
      for (let next; (next = waiting.shift()) !== undefined;) {
        for (const sink of sinks) sink(next);
      }
    } finally {
      telling = false;
    }
  };
}
