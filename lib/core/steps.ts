/** So many small things are done from one step to the next: about a millisecond's worth of records. */
export const STEP_ITEMS = 256;

/** Takes steps to their end at once. Returns what they end with. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
  }
}

/** Goes through `items` and makes a step every {@linkcode STEP_ITEMS}. */
export function* stepping<T>(
  items: Iterable<T>,
  each: (item: T) => void,
): Generator<void, void> {
  let count = 0;
  for (const item of items) {
    each(item);
    if (++count % STEP_ITEMS === 0) yield;
  }
}
