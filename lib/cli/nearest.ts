/** Returns the candidate nearest to `typed` by edits, capitals aside, or undefined when none is near enough to be a slip of the finger; the first wins a tie. All candidates are in lower case. */
export function nearest(
  typed: string,
  candidates: readonly string[],
): string | undefined {
  const text = typed.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    // `--dir` for `--directory` as well as `--exit` for `--exit-when-complete`.
    const [short, long] = text.length < candidate.length
      ? [text, candidate]
      : [candidate, text];
    const distance = long.startsWith(short) && short.length >= 3
      ? 1
      : editDistance(text, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance: the fewest insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    row = next;
  }
  return row[b.length]!;
}
