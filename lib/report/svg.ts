import { barChartSvg } from "./bar_chart.ts";
import { lineChartSvg } from "./line_chart.ts";
import { heatChartSvg } from "./heat_chart.ts";
import type { BarChart, HeatChart, LineChart } from "./report.ts";

/**
 * Draws a chart as an SVG document that needs nothing else: light colours as attributes, which every viewer
 * understands, and class names by which a page can recolour it.
 */
export function chartSvg(
  chart: LineChart | BarChart | HeatChart,
  options: {
    /** What screen readers say. */
    readonly title: string;
    /** Drawn above the chart, for a file that stands alone. */
    readonly heading?: string;
  },
): string {
  switch (chart.kind) {
    case "line":
      return lineChartSvg(chart, options);
    case "bar":
      return barChartSvg(chart, options);
    case "heat":
      return heatChartSvg(chart, options);
  }
}
