import { type Block, FONT_SIZE, textWidth } from "./legend.ts";
import { element, escaped } from "./markup.ts";
import { FONT, GRID, INK, MUTED } from "./palette.ts";

/** Width of every chart in its own units; it is scaled to the page. */
export const WIDTH = 960;
const PADDING = 20;

/** An axis: its label, and where its ticks are in the drawing. */
export interface Axis {
  readonly label: string;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Puts a chart together: heading, legend, body, below each other on white, and what it shows in words. */
export function chartFrame(
  options: {
    /** Drawn above the chart; none where the page around it has it. */
    readonly heading: string | undefined;
    readonly title: string;
    readonly description: string;
    readonly parts: readonly Block[];
  },
): string {
  let y = PADDING;
  const placed: string[] = [];
  if (options.heading !== undefined) {
    placed.push(element("text", {
      class: "ink",
      fill: INK,
      x: PADDING,
      y: y + 22,
      "font-size": 24,
      "font-weight": 600,
    }, escaped(options.heading)));
    y += 44;
  }
  for (const { markup, height } of options.parts) {
    placed.push(
      element("g", { transform: `translate(${PADDING},${y})` }, markup),
    );
    y += height;
  }
  const height = Math.round(y + PADDING);
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "chart",
      role: "img",
      viewBox: `0 0 ${WIDTH + 2 * PADDING} ${height}`,
      width: WIDTH + 2 * PADDING,
      height,
      "font-family": FONT,
      "font-size": FONT_SIZE,
    },
    element("title", {}, escaped(options.title)),
    element("desc", {}, escaped(options.description)),
    element("rect", {
      class: "paper",
      width: "100%",
      height: "100%",
      fill: "#ffffff",
    }),
    ...placed,
  );
}

/** Draws the x axis below a plot: grid, ticks, label at its right end. The plot begins at `left` and is `height` high. */
export function xAxis(axis: Axis, left: number, height: number): Block {
  const ticks = axis.ticks.map(({ at, text }) =>
    line(at, 0, at, height, GRID, "grid") +
    label(text, at, height + 24, "middle", MUTED)
  );
  return {
    markup: ticks.join("") +
      line(left, height, WIDTH, height, INK, "axis") +
      label(`${axis.label} →`, WIDTH, height + 52, "end", INK),
    height: 60,
  };
}

/** Draws the y axis at the left of a plot: grid, ticks, and its label above. */
export function yAxis(axis: Axis, left: number): string {
  const ticks = axis.ticks.map(({ at, text }) =>
    line(left, at, WIDTH, at, GRID, "grid") +
    label(text, left - 10, at + 6, "end", MUTED)
  );
  return ticks.join("") + label(`↑ ${axis.label}`, 0, -16, "start", INK);
}

/** How much room the tick texts of a y axis need. */
export function axisWidth(axis: Axis): number {
  return Math.max(
    24,
    ...axis.ticks.map(({ text }) => textWidth(text, FONT_SIZE)),
  ) +
    12;
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  color: string,
  name: string,
): string {
  return element("line", { class: name, x1, y1, x2, y2, stroke: color });
}

function label(
  text: string,
  x: number,
  y: number,
  anchor: "start" | "middle" | "end",
  fill: string,
): string {
  return element("text", {
    class: fill === INK ? "ink" : "muted",
    x,
    y,
    fill,
    "text-anchor": anchor,
  }, escaped(text));
}
