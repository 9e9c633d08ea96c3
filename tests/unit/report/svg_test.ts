import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SaxesParser } from "saxes";
import type { BarChart, LineChart } from "../../../lib/report/report.ts";
import { chartSvg } from "../../../lib/report/svg.ts";

interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

/** The elements of an XML document in order; throws if it is not well-formed. */
function elements(xml: string): readonly Node[] {
  const parser = new SaxesParser();
  const all: Node[] = [];
  const open: Node[] = [];
  parser.on("opentag", ({ name, attributes }) => {
    const node = { name, attributes: attributes as never, text: "" };
    all.push(node);
    open.push(node);
  });
  parser.on("text", (text) => open.forEach((node) => node.text += text));
  parser.on("closetag", () => open.pop());
  parser.write(xml).close();
  return all;
}

function texts(xml: string): readonly string[] {
  return elements(xml).filter(({ name }) => name === "text")
    .map(({ text }) => text);
}

const STAIRCASE: LineChart = {
  kind: "line",
  xLabel: "time (s)",
  yLabel: "rate (kbit/s)",
  series: [
    {
      name: "chosen",
      shape: "step",
      points: [[0, 400], [5, 1000], [10, 2500]],
    },
    {
      name: "link",
      shape: "line",
      dashed: true,
      points: [[0, 3000], [10, 3000]],
    },
    { name: "seen", shape: "points", points: [[1, 900], [6, NaN], [9, 2700]] },
  ],
};

const BARS: BarChart = {
  kind: "bar",
  xLabel: "time (s)",
  bars: [
    { name: "client-server", value: 20, mark: { name: "bound", value: 16 } },
    { name: "peer-to-peer", value: 10, mark: { name: "bound", value: 8 } },
    { name: "none", value: 0 },
  ],
};

Deno.test("chartSvg holds a step until the next point", () => {
  const [step, link] = elements(chartSvg(STAIRCASE, { title: "t" }))
    .filter(({ name, attributes }) =>
      name === "path" && attributes["fill"] === "none"
    ).slice(2);
  const corners = step!.attributes["d"]!.slice(1).split("L")
    .map((pair) => pair.split(",").map(Number));
  assertEquals(corners.length, 5);
  for (let at = 1; at < corners.length; at += 1) {
    const [x0, y0] = corners[at - 1]!;
    const [x1, y1] = corners[at]!;
    assert(x0 === x1 || y0 === y1, "only across or up");
  }
  assertEquals(step!.attributes["stroke-dasharray"], undefined);
  assert(link!.attributes["stroke-dasharray"] !== undefined);
});

Deno.test("chartSvg leaves out points that are no numbers", () => {
  const svg = chartSvg(STAIRCASE, { title: "t" });
  assert(!svg.includes("NaN"));
  assertStringIncludes(svg, "seen: 2 points");
});

Deno.test("chartSvg labels axes, ticks and series", () => {
  const shown = texts(chartSvg(STAIRCASE, { title: "t", heading: "Rates" }));
  for (
    const text of [
      "Rates",
      "time (s) →",
      "↑ rate (kbit/s)",
      "chosen",
      "link",
      "0",
      "3,000",
      "10",
    ]
  ) {
    assert(shown.includes(text), `${text} in ${shown.join("|")}`);
  }
});

Deno.test("chartSvg has no bar and no mark beyond the last tick of a bar chart", () => {
  for (
    const [value, bound, last] of [[20, 23, "25"], [9.1, 0, "10"]] as const
  ) {
    const shown = elements(chartSvg({
      ...BARS,
      bars: [{ name: "a", value, mark: { name: "bound", value: bound } }],
    }, { title: "t" }));
    const ticks = shown.filter(({ name, attributes }) =>
      name === "text" && attributes["text-anchor"] === "middle"
    );
    assertEquals(ticks.at(-1)!.text, last);
    assertEquals(ticks.map(({ text }) => text)[0], "0");
  }
});

Deno.test("chartSvg says how many stretches are shaded, also of one", () => {
  const shaded = (spans: readonly [number, number][]) =>
    chartSvg({ ...STAIRCASE, shaded: { name: "stalls", spans } }, {
      title: "t",
    });
  assertStringIncludes(shaded([[1, 2]]), "stalls: 1 stretch.");
  assertStringIncludes(shaded([[1, 2], [3, 4]]), "stalls: 2 stretches.");
});

Deno.test("chartSvg has no tick between two of what is counted", () => {
  const ticksTo = (last: number) =>
    texts(chartSvg({
      ...STAIRCASE,
      ...{ xLabel: "message", yLabel: "ms" },
      series: [{
        ...{ name: "answered", shape: "points" },
        points: [[1, 900], [last, 901]],
      }],
    }, { title: "t" })).filter((text) =>
      /^[0-9.]+$/.test(text) && Number(text) < 800
    );
  assertEquals(ticksTo(1), ["0", "1"]);
  assertEquals(ticksTo(3), ["0", "1", "2", "3"]);
  assert(ticksTo(2.5).some((text) => text.includes(".")));
});

Deno.test("chartSvg writes large values with a prefix", () => {
  const chart: LineChart = {
    ...STAIRCASE,
    series: [{ name: "a", shape: "line", points: [[0, 0], [1, 4e7]] }],
  };
  assert(texts(chartSvg(chart, { title: "t" })).includes("40M"));
});

Deno.test("chartSvg says in words what a chart shows", () => {
  const [root, title, desc] = elements(
    chartSvg(BARS, { title: 'Times < & "bounds"' }),
  );
  assertEquals(root!.attributes["role"], "img");
  assertEquals(title!.text, 'Times < & "bounds"');
  assertEquals(
    desc!.text,
    "time (s). client-server: 20 (bound 16); peer-to-peer: 10 (bound 8); none: 0.",
  );
});

Deno.test("chartSvg draws bars to scale, marks across them", () => {
  const nodes = elements(chartSvg(BARS, { title: "t" }));
  const bars = nodes.filter(({ name, attributes }) =>
    name === "rect" && attributes["class"] === "fill-0"
  );
  const [long, half] = bars.map(({ attributes }) =>
    Number(attributes["width"])
  );
  assertEquals(bars.length, 3);
  assert(Math.abs(long! / half! - 2) < 0.01);
  const marks = nodes.filter(({ name, attributes }) =>
    name === "path" && attributes["stroke-width"] === "4"
  );
  const left = Number(bars[0]!.attributes["x"]);
  const at = Number(/M([\d.]+)/.exec(marks[0]!.attributes["d"]!)?.[1]) - left;
  assert(Math.abs(at / long! - 0.8) < 0.01);
});

Deno.test("chartSvg draws something when there is nothing to draw", () => {
  const charts: readonly (LineChart | BarChart)[] = [
    { ...STAIRCASE, series: [] },
    { ...STAIRCASE, series: [{ name: "a", shape: "line", points: [] }] },
    { ...STAIRCASE, series: [{ name: "a", shape: "line", points: [[3, 0]] }] },
    { ...BARS, bars: [] },
    { ...BARS, bars: [{ name: "a", value: 0 }] },
    { ...BARS, bars: [{ name: "a", value: Infinity }] },
  ];
  for (const chart of charts) {
    const svg = chartSvg(chart, { title: "t" });
    assert(elements(svg).length > 4);
    assert(!/NaN|Infinity/.test(svg), svg);
  }
});

Deno.test("chartSvg gives six series six colours", () => {
  const chart: LineChart = {
    ...STAIRCASE,
    series: Array.from({ length: 6 }, (_, at) => ({
      name: `peer ${at}`,
      shape: "line",
      points: [[0, at], [1, at + 1]],
    })),
  };
  const lines = elements(chartSvg(chart, { title: "t" }))
    .filter(({ attributes }) => attributes["fill"] === "none");
  assertEquals(new Set(lines.map((one) => one.attributes["stroke"])).size, 6);
});

Deno.test("chartSvg writes the powers of ten of a logarithmic axis in full", () => {
  const svg = chartSvg({
    ...{ kind: "line", xLabel: "N", yLabel: "seconds", scale: "log" },
    series: [{ name: "a", shape: "line", points: [[1, 3], [10_000, 32_000]] }],
  }, { title: "Log" });
  for (const tick of ["1", "10", "1,000", "100,000"]) {
    assertStringIncludes(svg, `>${tick}</text>`);
  }
  assertEquals(svg.includes(">0k</text>"), false);
});

Deno.test("chartSvg shades stretches of the x axis, however short, and names them in the legend", () => {
  const svg = chartSvg(
    { ...STAIRCASE, shaded: { name: "no picture", spans: [[2, 4], [7, 7]] } },
    { title: "Play" },
  );
  assert(texts(svg).includes("no picture"));
  // Two stretches and the sample in the legend.
  const widths = elements(svg)
    .filter(({ attributes }) => attributes["fill-opacity"] !== undefined)
    .map(({ attributes }) => Number(attributes.width));
  assertEquals(widths.length, 3);
  assert(widths.every((width) => width >= 3), widths.join(" "));
});
