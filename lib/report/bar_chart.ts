// @ts-types="npm:@types/d3-scale@4.0.9"
import { scaleLinear } from "d3-scale";
import { chartFrame, WIDTH, xAxis } from "./frame.ts";
import {
  type Block,
  fitting,
  FONT_SIZE,
  legend,
  type Look,
  NO_DATA,
  stroke,
  textWidth,
} from "./legend.ts";
import { element, escaped } from "./markup.ts";
import { readable, tickText } from "./numbers.ts";
import { INK, LIGHT, MUTED } from "./palette.ts";
import type { BarChart } from "./report.ts";

type Bar = BarChart["bars"][number];

const ROW = 44;
const BAR = 26;
/** Names longer than this run into two thirds of the chart; the rest is for bars. */
const MOST_NAME_WIDTH = 340;
/** Room right of the longest bar for its value. */
const VALUE_WIDTH = 80;

/** Draws a bar chart as SVG: a row for each bar, its value written beside it, marks across it. */
export function barChartSvg(
  chart: BarChart,
  { title, heading }: { readonly title: string; readonly heading?: string },
): string {
  const looks = marksOf(chart);
  const plot = chart.bars.length === 0 ? NO_DATA : drawPlot(chart, looks);
  return chartFrame({
    heading,
    title,
    description: describe(chart),
    parts: [legend(looks, WIDTH), plot],
  });
}

/** One look for each name among the marks; colour 0 is the bars'. */
function marksOf({ bars }: BarChart): readonly Look[] {
  const names = new Set(bars.flatMap(({ mark }) => mark?.name ?? []));
  return [...names].map((name, at) => ({
    name,
    index: at + 1,
    dash: at === 0 ? undefined : at - 1,
    line: true,
    marker: false,
  }));
}

function drawPlot({ xLabel, bars }: BarChart, looks: readonly Look[]): Block {
  const left = Math.min(
    MOST_NAME_WIDTH,
    Math.max(...bars.map(({ name }) => textWidth(name, FONT_SIZE))),
  ) + 14;
  const top = Math.max(
    ...bars.flatMap(({ value, mark }) => [value, mark?.value ?? 0])
      .filter(Number.isFinite),
    0,
  );
  const valueWidth = VALUE_WIDTH +
    Math.max(
      ...bars.map(({ mark }) =>
        mark === undefined
          ? 0
          : textWidth(`${mark.name} ${readable(mark.value)}`, FONT_SIZE) + 10
      ),
    );
  const x = scaleLinear([0, top || 1], [0, WIDTH - left - valueWidth])
    // The last tick is at or behind all that is drawn.
    .nice(6);
  const height = bars.length * ROW + 8;
  const write = tickText(top, x.tickFormat(6));
  const ticks = x.ticks(6).map((value) => ({
    at: left + x(value),
    text: write(value),
  }));
  const below = xAxis({ label: xLabel, ticks }, left, height);
  const rows = bars.map((bar, at) =>
    element(
      "g",
      { transform: `translate(0,${at * ROW + (ROW - BAR) / 2 + 4})` },
      drawBar(bar, looks, left, x),
    )
  );
  return {
    markup: below.markup + rows.join(""),
    height: height + below.height,
  };
}

function drawBar(
  { name, value, mark }: Bar,
  looks: readonly Look[],
  left: number,
  x: (value: number) => number,
): string {
  const end = left + (Number.isFinite(value) ? x(Math.max(0, value)) : 0);
  const look = looks.find((one) => one.name === mark?.name);
  const markAt = left + x(mark?.value ?? 0);
  const beside = look === undefined ? end : Math.max(end, markAt);
  return element("text", {
    class: "ink",
    fill: INK,
    x: left - 12,
    y: BAR / 2 + 6,
    "text-anchor": "end",
  }, escaped(fitting(name, { width: MOST_NAME_WIDTH, fontSize: FONT_SIZE }))) +
    element("rect", {
      class: "fill-0",
      fill: LIGHT[0],
      x: left,
      width: Math.max(1, end - left),
      height: BAR,
      rx: 3,
    }) +
    (look === undefined ? "" : drawMark(look, markAt)) +
    element(
      "text",
      { class: "ink", fill: INK, x: beside + 12, y: BAR / 2 + 6 },
      element("tspan", { "font-weight": 600 }, escaped(readable(value))),
      mark === undefined ? "" : element(
        "tspan",
        { class: "muted", fill: MUTED, dx: 10 },
        escaped(`${mark.name} ${readable(mark.value)}`),
      ),
    );
}

/** A stroke across the bar, on a wider one in the colour of the page. */
function drawMark(look: Look, x: number): string {
  const d = `M${x.toFixed(1)},-6V${BAR + 6}`;
  const around = {
    class: "paper-stroke",
    stroke: "#ffffff",
    "stroke-width": 9,
  };
  return element("path", { ...around, d }) +
    element("path", { ...stroke(look), "stroke-width": 4, d });
}

function describe({ xLabel, bars }: BarChart): string {
  const parts = bars.map(({ name, value, mark }) =>
    `${name}: ${readable(value)}${
      mark === undefined ? "" : ` (${mark.name} ${readable(mark.value)})`
    }`
  );
  return `${xLabel}. ${parts.join("; ")}.`;
}
