import type { RosterRow } from "../../lib/roster/row.ts";
import { FairShare } from "./fair_share.ts";

/** Where a role's events are on their way from. */
export type FeedState =
  /** They come. */
  | "live"
  /** They are asked for, and do not come yet, or not any more. */
  | "waiting"
  /** The role does not offer them: it has no `--admin`, or one on its own loopback. */
  | "silent"
  /** The role has ended. */
  | "gone";

/** A role as the page shows it. */
export interface Source {
  /** Nobody else's: its name on the link, or where its events are. */
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly where: string;
  readonly state: FeedState;
  /** Why it is silent or waiting. */
  readonly reason: string;
  /** Of this feed, since the dashboard follows it. */
  readonly events: number;
}

/** An event as the page shows it. */
export interface ShownEvent {
  /** Of its {@linkcode Source}. */
  readonly source: string;
  /** When it happened, by this machine's clock: milliseconds since 1970. */
  readonly atMs: number;
  readonly type: string;
  readonly level: string;
  /** Values of those fields that `/metrics` counts apart, such as a cache status. */
  readonly label: string;
  /** The sentence of the log. */
  readonly text: string;
  /** Its fields that are numbers or short texts. */
  readonly fields: Readonly<Record<string, number | string | boolean>>;
}

/** What the page is told. */
export type BoardMessage =
  | { readonly kind: "sources"; readonly sources: readonly Source[] }
  | {
    readonly kind: "events";
    readonly events: readonly ShownEvent[];
    /** More came in the same moment than are shown. */
    readonly omitted: number;
  };

/** Events that a page which is opened now is given. */
const KEPT_EVENTS = 500;
/** Events told at once; more of them is more than anyone reads. */
const MAX_AT_ONCE = 200;
/** How long who has gone is still shown. */
const GONE_MS = 60_000;
/** Roles shown. Who has gone makes room first. */
const MAX_SOURCES = 200;

/** What is known of all roles: fed by their events and by the roster. It keeps what the page needs and no more. */
export class Board {
  readonly #sources = new Map<string, Source>();
  /** When who has gone went. */
  readonly #goneAtMs = new Map<string, number>();
  #latest: readonly ShownEvent[] = [];
  readonly #fresh = new FairShare<ShownEvent>(MAX_AT_ONCE);
  #sourcesChanged = false;

  /** How many roles are shown. */
  get size(): number {
    return this.#sources.size;
  }

  /** All roles, in the order in which they were found. */
  get sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  /** Whether there is a place for one more role. */
  get hasRoom(): boolean {
    return this.#sources.size < MAX_SOURCES ||
      this.sources.some(({ state }) => state === "gone");
  }

  /** Sets what is known of a role; a new one is silent. */
  set(id: string, known: Partial<Omit<Source, "id">>): void {
    const before = this.#sources.get(id);
    if (before === undefined && !this.#makeRoom()) return;
    const source: Source = {
      ...{ id, role: "?", name: id, where: "", state: "silent" },
      ...{ reason: "", events: 0 },
      ...before,
      ...known,
    };
    this.#sources.set(id, source);
    this.#goneAtMs.delete(id);
    this.#sourcesChanged = true;
  }

  /** The role has ended: it is shown for another minute. */
  leave(id: string, nowMs: number): void {
    if (!this.#sources.has(id)) return;
    this.set(id, { state: "gone", reason: "has ended" });
    this.#goneAtMs.set(id, nowMs);
  }

  /** Takes an event of a role. */
  take(event: ShownEvent): void {
    const source = this.#sources.get(event.source);
    if (source === undefined) return;
    this.set(event.source, { events: source.events + 1 });
    this.#fresh.add(event.source, event);
  }

  /** What is new since the last call. */
  news(nowMs: number): BoardMessage[] {
    for (const [id, goneAtMs] of this.#goneAtMs) {
      if (nowMs - goneAtMs >= GONE_MS) this.#drop(id);
    }
    const messages: BoardMessage[] = [];
    if (this.#sourcesChanged) {
      messages.push({ kind: "sources", sources: this.sources });
    }
    const { items: events, omitted } = this.#fresh.empty();
    if (events.length > 0) messages.push({ kind: "events", events, omitted });
    // Only now: who comes in between is told of these in a moment, once.
    this.#latest = [...this.#latest, ...events].slice(-KEPT_EVENTS);
    this.#sourcesChanged = false;
    return messages;
  }

  /** What a page that is opened now has to know. */
  all(): BoardMessage[] {
    return [
      { kind: "sources", sources: this.sources },
      { kind: "events", events: this.#latest, omitted: 0 },
    ];
  }

  #makeRoom(): boolean {
    if (this.#sources.size < MAX_SOURCES) return true;
    const gone = this.sources.find(({ state }) => state === "gone");
    if (gone !== undefined) this.#drop(gone.id);
    return gone !== undefined;
  }

  #drop(id: string): void {
    this.#sources.delete(id);
    this.#goneAtMs.delete(id);
    this.#sourcesChanged = true;
  }
}

/** Addresses and sockets of a role, as the page shows them. */
export function whereOf({ addresses, sockets }: RosterRow): string {
  const ports = sockets.map(({ transport, port }) => `${transport} ${port}`);
  return [addresses.join(" "), ports.join(", ")].filter((part) => part !== "")
    .join(", ");
}
