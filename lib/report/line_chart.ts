// @ts-types="npm:@types/d3-scale@4.0.9"
import {
  type ScaleLinear,
  scaleLinear,
  scaleLog,
  type ScaleLogarithmic,
} from "d3-scale";
// @ts-types="npm:@types/d3-shape@3.1.7"
import { curveLinear, curveStepAfter, line } from "d3-shape";
import { counted } from "../core/units.ts";
import {
  type Axis,
  axisWidth,
  chartFrame,
  WIDTH,
  xAxis,
  yAxis,
} from "./frame.ts";
import {
  type Block,
  legend,
  type Look,
  marker,
  NO_DATA,
  shade,
  stroke,
} from "./legend.ts";
import { element } from "./markup.ts";
import { readable, tickText } from "./numbers.ts";
import type { LineChart } from "./report.ts";

type Series = LineChart["series"][number];
type Point = readonly [x: number, y: number];
type Scale =
  | ScaleLinear<number, number>
  | ScaleLogarithmic<number, number>;

const HEIGHT = 340;
/** Room above the plot for the label of the y axis and half a tick text. */
const ABOVE = 40;
/** A series has about this many markers; more would hide the line. */
const MOST_MARKERS = 14;
/** Ticks of an x axis, about. */
const MOST_TICKS = 8;

/** Colour of what is shaded: grey, in every chart. */
const SHADE = 5;

/** Draws a line chart as SVG. */
export function lineChartSvg(
  chart: LineChart,
  { title, heading }: { readonly title: string; readonly heading?: string },
): string {
  const series = chart.series.map((one) => ({
    ...one,
    points: one.points.filter((point) =>
      point.every((value) =>
        Number.isFinite(value) && (chart.scale !== "log" || value > 0)
      )
    ),
  }));
  const looks = [...looksOf(series), ...shadedLook(chart)];
  const plot = series.every(({ points }) => points.length === 0)
    ? NO_DATA
    : drawPlot(chart, series, looks);
  return chartFrame({
    heading,
    title,
    description: describe(chart, series),
    parts: [legend(looks, WIDTH), plot],
  });
}

function looksOf(series: readonly Series[]): readonly Look[] {
  let dashes = 0;
  return series.map(({ name, shape, dashed }, index) => ({
    name,
    index,
    dash: dashed === true ? dashes++ : undefined,
    line: shape !== "points",
    marker: dashed !== true,
  }));
}

function shadedLook({ shaded }: LineChart): readonly Look[] {
  return shaded === undefined || shaded.spans.length === 0 ? [] : [{
    name: shaded.name,
    index: SHADE,
    dash: undefined,
    line: false,
    marker: false,
    area: true,
  }];
}

function drawPlot(
  chart: LineChart,
  series: readonly Series[],
  looks: readonly Look[],
): Block {
  const points = series.flatMap((one) => one.points);
  const scaleOf = chart.scale === "log" ? logScale : linearScale;
  const values = points.map(([, value]) => value);
  if (chart.fromZero === true) values.push(0);
  const y = scaleOf(values, [HEIGHT, 0], true);
  const vertical = axis(chart.yLabel, y, 6);
  const left = axisWidth(vertical);
  const spans = chart.shaded?.spans ?? [];
  const x = scaleOf(
    [...points.map(([value]) => value), ...spans.flat()],
    [left, WIDTH - 8],
    false,
  );
  const below = xAxis(axis(chart.xLabel, x, tickCount(points)), left, HEIGHT);
  const lines = series.map((one, at) => drawSeries(one, looks[at]!, x, y));
  return {
    markup: element(
      "g",
      { transform: `translate(0,${ABOVE})` },
      below.markup,
      yAxis(vertical, left),
      ...spans.map(([from, to]) => drawSpan([x(from), x(to)])),
      ...lines,
    ),
    height: ABOVE + HEIGHT + below.height,
  };
}

/** Ticks of the x axis: what is counted, such as messages, has none between two of it. */
function tickCount(points: readonly Point[]): number {
  const last = points.reduce((most, [value]) => Math.max(most, value), 1);
  const counted = points.every(([value]) => Number.isInteger(value));
  return counted ? Math.min(MOST_TICKS, last) : MOST_TICKS;
}

function linearScale(
  values: readonly number[],
  range: readonly [number, number],
  nice: boolean,
): Scale {
  const scale = scaleLinear(domain(values), range);
  return nice ? scale.nice(6) : scale;
}

/** Up to whole powers of ten. */
function logScale(
  values: readonly number[],
  range: readonly [number, number],
): Scale {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  return scaleLog([low, Math.max(high, low * 10)], range).nice();
}

/** From 0, unless the values are all far from it or below it. */
function domain(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const from = low >= 0 && low <= high * 0.7 ? 0 : low;
  return from === high ? [Math.min(0, from), Math.max(1, high)] : [from, high];
}

function axis(label: string, scale: Scale, count: number): Axis {
  const [low, high] = scale.domain() as [number, number];
  // Powers of ten share no prefix: 1, 10 … 100,000 in full.
  const write = "base" in scale ? readable : tickText(
    Math.max(Math.abs(low), Math.abs(high)),
    scale.tickFormat(count),
  );
  const ticks = "base" in scale
    ? scale.ticks().filter((value) => Math.log10(value) % 1 === 0)
    : scale.ticks(count);
  return {
    label,
    ticks: ticks.map((value) => ({
      at: scale(value),
      text: write(value),
    })),
  };
}

function drawSeries(
  { shape, points }: Series,
  look: Look,
  x: Scale,
  y: Scale,
): string {
  const path = line<Point>()
    .x(([value]) => rounded(x(value)))
    .y(([, value]) => rounded(y(value)))
    .curve(shape === "step" ? curveStepAfter : curveLinear)(points as Point[]);
  const every = shape === "points"
    ? 1
    : Math.ceil(points.length / MOST_MARKERS);
  const markers = look.marker
    ? points.filter((_, at) => at % every === 0)
      .map(([px, py]) => marker(look.index, x(px), y(py)))
    : [];
  return element(
    "g",
    {},
    look.line ? element("path", { ...stroke(look), d: path ?? "" }) : "",
    ...markers,
  );
}

/** However short, it is seen. */
function drawSpan([from, to]: readonly [number, number]): string {
  const wide = Math.max(3, to - from);
  return shade(SHADE, { x: from, width: wide }, { y: 0, height: HEIGHT });
}

/** Tenths are fine enough for coordinates. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function describe(chart: LineChart, series: readonly Series[]): string {
  const parts = series.map(({ name, points }) => {
    const values = points.map(([, value]) => value);
    if (values.length === 0) return `${name}: no data`;
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    return `${name}: ${counted(values.length, "point")} from ${
      readable(low)
    } to ${readable(high)}, the last ${readable(values.at(-1)!)}`;
  });
  const { shaded } = chart;
  if (shaded !== undefined) {
    parts.push(
      `${shaded.name}: ${counted(shaded.spans.length, "stretch", "stretches")}`,
    );
  }
  return `${chart.yLabel} over ${chart.xLabel}. ${parts.join("; ")}.`;
}
