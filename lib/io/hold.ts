/** What is held, by each who waits. */
const HELD = new Set<{ readonly signal: AbortSignal | undefined }>();

/**
 * Keeps a signal while somebody waits for it to abort. Deno 2.4 forgets what `AbortSignal.any` returns when nothing but its
 * own listeners refers to it: it is collected, and never aborts.
 */
export function hold(signal: AbortSignal | undefined): Disposable {
  const held = { signal };
  HELD.add(held);
  return { [Symbol.dispose]: () => void HELD.delete(held) };
}
