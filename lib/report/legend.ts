// @ts-types="npm:@types/d3-shape@3.1.7"
import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolTriangle,
  symbolWye,
} from "d3-shape";
import { element, escaped } from "./markup.ts";
import { cyclic, DASHES, INK, LIGHT } from "./palette.ts";

/** How a series is drawn, in the plot and in the legend. */
export interface Look {
  readonly name: string;
  /** Which colour and marker. */
  readonly index: number;
  /** Which dash; undefined for an unbroken line. */
  readonly dash: number | undefined;
  readonly line: boolean;
  readonly marker: boolean;
  /** A stretch that is shaded, not a line. */
  readonly area?: boolean;
}

/** A piece of a drawing and the height it takes. */
export interface Block {
  readonly markup: string;
  readonly height: number;
}

const MARKERS = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolWye,
] as const;
const ROW = 30;
const SAMPLE = 44;

/** Size of a chart's text where nothing else is said, in its own units. */
export const FONT_SIZE = 17;

/** What stands in the place of a plot without values. */
export const NO_DATA: Block = {
  markup: element("text", { class: "muted", y: 40 }, "No data"),
  height: 60,
};

/** Estimates how wide text comes out in the chart's font; errs to the wide side. */
export function textWidth(text: string, fontSize: number): number {
  return [...text].reduce(
    (sum, sign) => sum + (/[ .,:;'|!()ijlftI1]/.test(sign) ? 0.36 : 0.62),
    0,
  ) * fontSize;
}

/** Shortens text that would be wider than `width`. */
export function fitting(
  text: string,
  { width, fontSize }: { readonly width: number; readonly fontSize: number },
): string {
  if (textWidth(text, fontSize) <= width) return text;
  let short = text;
  while (textWidth(`${short}…`, fontSize) > width) short = short.slice(0, -1);
  return `${short}…`;
}

/** Draws the marker of a series at a place. */
export function marker(index: number, x: number, y: number): string {
  return element("path", {
    class: `fill-${index % LIGHT.length} paper-stroke`,
    fill: cyclic(LIGHT, index),
    stroke: "#ffffff",
    "stroke-width": 1.5,
    transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`,
    d: symbol(cyclic(MARKERS, index), 90)() ?? "",
  });
}

/** Draws a stretch that is shaded. */
export function shade(
  index: number,
  { x, width }: { readonly x: number; readonly width: number },
  { y, height }: { readonly y: number; readonly height: number },
): string {
  return element("rect", {
    class: `fill-${index % LIGHT.length}`,
    fill: cyclic(LIGHT, index),
    "fill-opacity": 0.3,
    x: x.toFixed(1),
    y,
    width: width.toFixed(1),
    height,
  });
}

/** Attributes of a series' line. */
export function stroke(
  { index, dash }: Pick<Look, "index" | "dash">,
): Readonly<Record<string, string | number | undefined>> {
  return {
    class: `stroke-${index % LIGHT.length}`,
    fill: "none",
    stroke: cyclic(LIGHT, index),
    "stroke-width": dash === undefined ? 3 : 2.5,
    "stroke-dasharray": dash === undefined ? undefined : cyclic(DASHES, dash),
    "stroke-linejoin": "round",
  };
}

/** Draws the legend in as many rows as it needs. */
export function legend(looks: readonly Look[], width: number): Block {
  let x = 0;
  let y = 0;
  const entries = looks.map((look) => {
    const wide = SAMPLE + 10 + textWidth(look.name, FONT_SIZE);
    if (x > 0 && x + wide > width) {
      x = 0;
      y += ROW;
    }
    const middle = y + ROW / 2;
    const drawn = element(
      "g",
      {},
      look.line
        ? element("path", {
          ...stroke(look),
          d: `M${x.toFixed(1)},${middle}h${SAMPLE}`,
        })
        : "",
      look.marker ? marker(look.index, x + SAMPLE / 2, middle) : "",
      look.area === true
        ? shade(
          look.index,
          { x: x + 10, width: SAMPLE - 20 },
          { y: middle - 10, height: 20 },
        )
        : "",
      element("text", {
        class: "ink",
        fill: INK,
        x: x + SAMPLE + 10,
        y: middle + 6,
      }, escaped(look.name)),
    );
    x += wide + 28;
    return drawn;
  });
  return {
    markup: entries.join(""),
    height: looks.length === 0 ? 0 : y + ROW + 8,
  };
}
