/** One part of a report: shown in order. */
export type ReportSection =
  | { readonly kind: "text"; readonly heading?: string; readonly text: string }
  | {
    readonly kind: "table";
    readonly heading: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | number)[])[];
    readonly note?: string;
  }
  | {
    readonly kind: "chart";
    readonly heading: string;
    /** File name of the `.svg`, without the ending. */
    readonly file: string;
    readonly chart: LineChart | BarChart | HeatChart;
    readonly note?: string;
  };

/** Lines, staircases or points over a numeric x axis. */
export interface LineChart {
  readonly kind: "line";
  readonly xLabel: string;
  readonly yLabel: string;
  /** `log`: both axes grow by factors; only values above 0 are shown. */
  readonly scale?: "linear" | "log";
  /** The y axis begins at 0, however far the values are from it. */
  readonly fromZero?: boolean;
  /** Stretches of the x axis that are shaded, such as the stalls of a player. */
  readonly shaded?: ShadedSpans;
  readonly series: readonly {
    readonly name: string;
    /** `step` holds each value until the next point (a bit rate staircase). */
    readonly shape: "line" | "step" | "points";
    readonly dashed?: boolean;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

/** Stretches of an axis. */
export interface ShadedSpans {
  readonly name: string;
  readonly spans: readonly (readonly [from: number, to: number])[];
}

/** Horizontal bars with marks, such as completion times against their bound. */
export interface BarChart {
  readonly kind: "bar";
  readonly xLabel: string;
  readonly bars: readonly {
    readonly name: string;
    readonly value: number;
    /** A mark on the bar, such as the theoretical bound, with its name in the legend. */
    readonly mark?: { readonly name: string; readonly value: number };
  }[];
}

/** Heat maps side by side, such as who serves whom, one for each round. */
export interface HeatChart {
  readonly kind: "heat";
  /** What a row, and what a column is. */
  readonly rowLabel: string;
  readonly columnLabel: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** What a cell is, at most how much of it, and its unit as it follows the number, such as ` %`. */
  readonly scale: {
    readonly name: string;
    readonly max: number;
    readonly unit: string;
  };
  readonly panels: readonly {
    readonly title: string;
    /** By row and column; NaN leaves a cell out. */
    readonly cells: readonly (readonly number[])[];
  }[];
}
