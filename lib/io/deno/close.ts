/** Returns what closes a resource. Closing twice, or after the system did, is harmless. */
export function closer(resource: { close(): void }): () => void {
  return () => {
    try {
      resource.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
}
