/** What a {@linkcode Histogram} counted: by bucket, and the sum of the values. */
export interface HistogramCounts {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts of values by size, as Prometheus reads them: a quantile can be told from them, to within a bucket. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** Creates empty buckets; `bounds` rise. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  /** Counts a value. */
  add(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > this.#bounds[at]!) at += 1;
    this.#counts[at]! += 1;
    this.#sum += value;
  }

  /** What is counted, to be added to another histogram of the same bounds. */
  counted(): HistogramCounts {
    return { counts: [...this.#counts], sum: this.#sum };
  }

  /** Adds what another one counted. */
  addAll({ counts, sum }: HistogramCounts): void {
    for (const [at, count] of counts.entries()) this.#counts[at]! += count;
    this.#sum += sum;
  }

  /**
   * The lines of one metric in Prometheus' text format, without HELP and TYPE.
   *
   * @param labels Such as `cache="hit"`; "" for none.
   */
  lines(name: string, labels: string): string {
    let count = 0;
    let text = "";
    const before = labels === "" ? "" : `${labels},`;
    for (const [at, each] of this.#counts.entries()) {
      count += each;
      const bound = this.#bounds[at] ?? "+Inf";
      text += `${name}_bucket{${before}le="${bound}"} ${count}\n`;
    }
    const braces = labels === "" ? "" : `{${labels}}`;
    return `${text}${name}_sum${braces} ${this.#sum}\n${name}_count${braces} ${count}\n`;
  }
}
