import { chartFrame, WIDTH } from "./frame.ts";
import { type Block, fitting, NO_DATA, textWidth } from "./legend.ts";
import { element, escaped } from "./markup.ts";
import { readable } from "./numbers.ts";
import { GRID, INK, LIGHT, MUTED } from "./palette.ts";
import type { HeatChart } from "./report.ts";

/** Panels beside each other. */
const ACROSS = 3;
/** Room between panels. */
const GAP = 24;
/** Size of the text at rows and columns. */
const SMALL = 13;
/** Names longer than this are cut. */
const MOST_NAME_WIDTH = 96;
/** Height of a panel's title. */
const TITLE = 30;
/** Cells are squares, no larger than this. */
const MOST_CELL = 34;
/** From one shade of the scale to the next. */
const SHADE = 66;

/** Draws heat maps as SVG: a panel for each point in time, rows and columns the same in all of them. */
export function heatChartSvg(
  chart: HeatChart,
  { title, heading }: { readonly title: string; readonly heading?: string },
): string {
  const empty = chart.panels.length === 0 || chart.rows.length === 0;
  return chartFrame({
    heading,
    title,
    description: describe(chart),
    parts: empty ? [NO_DATA] : [scaleOf(chart), panelsOf(chart)],
  });
}

/** What the shades mean, and which way to read. */
function scaleOf({ scale, rowLabel, columnLabel }: HeatChart): Block {
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share, at) =>
    cell(at * SHADE, 2, 18, share) +
    text(readable(share * scale.max) + scale.unit, at * SHADE + 24, 17, {
      fill: MUTED,
      "font-size": SMALL + 1,
    })
  );
  return {
    markup: steps.join("") +
      text(
        `${scale.name}; rows: ${rowLabel}, columns: ${columnLabel}`,
        5 * SHADE + 12,
        17,
        { fill: INK, "font-size": SMALL + 2 },
      ),
    height: 44,
  };
}

function panelsOf(chart: HeatChart): Block {
  const { rows, columns, panels } = chart;
  const across = Math.min(ACROSS, panels.length);
  const width = (WIDTH - (across - 1) * GAP) / across;
  const nameWidth = (names: readonly string[]) =>
    Math.min(
      MOST_NAME_WIDTH,
      Math.max(...names.map((name) => textWidth(name, SMALL))),
    );
  const left = nameWidth(rows) + 8;
  const size = Math.min(MOST_CELL, Math.floor((width - left) / columns.length));
  const above = TITLE + nameWidth(columns) + 8;
  const height = above + rows.length * size + GAP;
  const drawn = panels.map((panel, at) =>
    element(
      "g",
      {
        transform: `translate(${(at % across) * (width + GAP)},${
          Math.floor(at / across) * height
        })`,
      },
      text(panel.title, left, 16, { fill: INK, "font-weight": 600 }),
      ...columns.map((name, column) =>
        text(named(name), 0, 0, {
          fill: MUTED,
          "font-size": SMALL,
          transform: `translate(${left + (column + 0.5) * size + 4},${
            above - 6
          }) rotate(-90)`,
        })
      ),
      ...rows.map((name, row) =>
        text(named(name), left - 6, above + (row + 0.5) * size + 4, {
          fill: MUTED,
          "font-size": SMALL,
          "text-anchor": "end",
        }) +
        columns.map((_, column) =>
          cell(
            left + column * size,
            above + row * size,
            size,
            (panel.cells[row]?.[column] ?? 0) / chart.scale.max,
          )
        ).join("")
      ),
    )
  );
  return {
    markup: drawn.join(""),
    height: Math.ceil(panels.length / across) * height,
  };
}

/** One value: the darker, the more. A value that is none (NaN) is left out. */
function cell(x: number, y: number, size: number, share: number): string {
  if (Number.isNaN(share)) return "";
  return element("rect", {
    class: "grid",
    x,
    y,
    width: size,
    height: size,
    fill: "none",
    stroke: GRID,
  }) + (share <= 0 ? "" : element("rect", {
    class: "fill-0",
    fill: LIGHT[0],
    x: x + 1,
    y: y + 1,
    width: size - 2,
    height: size - 2,
    // As a text: two digits, where a coordinate needs one.
    "fill-opacity": Math.min(1, 0.12 + 0.88 * share).toFixed(2),
  }));
}

function named(name: string): string {
  return fitting(name, { width: MOST_NAME_WIDTH, fontSize: SMALL });
}

function text(
  content: string,
  x: number,
  y: number,
  attributes: Readonly<Record<string, string | number>>,
): string {
  return element("text", {
    class: attributes["fill"] === INK ? "ink" : "muted",
    x,
    y,
    ...attributes,
  }, escaped(content));
}

function describe({ scale, rows, panels }: HeatChart): string {
  const parts = panels.map(({ title, cells }) => {
    const sums = cells.map((row, at) => {
      const sum = row.reduce((a, b) => a + (Number.isNaN(b) ? 0 : b), 0);
      return `${rows[at]} ${readable(Math.round(sum * 100) / 100)}`;
    });
    return `${title}: ${sums.join(", ")}`;
  });
  return `${scale.name}, sum of each row. ${parts.join("; ")}.`;
}
