import type { EventRecord } from "../events/mod.ts";

/** Most events kept of one program. */
const MAX_EVENTS = 100_000;
/** Lines that are no events, kept for error messages. */
const MAX_OTHER_LINES = 50;

/** Called for each event, and with null when there will be no more. */
type Listener = (event: EventRecord | null) => void;

/** What a process has said, and who waits for what. */
export class EventLog {
  readonly events: EventRecord[] = [];
  /** What was said that is no event. */
  readonly otherLines: string[] = [];
  readonly #listeners = new Set<Listener>();
  /** Whether there will be no more. */
  ended = false;

  /** Takes the next event. */
  push(event: EventRecord): void {
    this.events.push(event);
    if (this.events.length > MAX_EVENTS) this.events.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Takes a line that is no event. */
  say(line: string): void {
    this.otherLines.push(line);
    if (this.otherLines.length > MAX_OTHER_LINES) this.otherLines.shift();
  }

  /** There will be no more. */
  end(): void {
    this.ended = true;
    for (const listener of [...this.#listeners]) listener(null);
  }

  /** Calls back for each event from now on. Returns the function that ends it. */
  subscribe(each: (event: EventRecord) => void): () => void {
    const listener: Listener = (event) => event !== null && each(event);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The first event, past or future, that `matches`. @throws {Error} After `timeoutMs`, or when there will be no more. */
  until(
    matches: (event: EventRecord) => boolean,
    timeoutMs: number,
  ): Promise<EventRecord> {
    const past = this.events.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    const ended = new Error("it ended without the expected event");
    if (this.ended) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const listener: Listener = (event) => {
        if (event !== null && !matches(event)) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        if (event === null) reject(ended);
        else resolve(event);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(
          new Error(`the expected event did not come in ${timeoutMs} ms`),
        );
      }, timeoutMs);
      this.#listeners.add(listener);
    });
  }

  /** The last of what was said. */
  tail(): string {
    return [
      ...this.events.slice(-5).map((event) => JSON.stringify(event)),
      ...this.otherLines.slice(-5),
    ].join("\n");
  }
}
