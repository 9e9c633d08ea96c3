/** What the sinks know of an event type. */
export interface EventInfo<E> {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Fields with few values, such as a cache status, that `/metrics` counts apart. */
  readonly labels?: readonly (keyof E & string)[];
  /** Tells how far something is: on a terminal the next of its kind takes its place. */
  readonly passing?: true;
  /** The sentence in the text log. */
  text(event: E): string;
}

/** One row for each event type of a family; a missing row is a type error. */
export type EventTable<E extends { readonly type: string }> = {
  readonly [T in E["type"]]: EventInfo<Extract<E, { readonly type: T }>>;
};
