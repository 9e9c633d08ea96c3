import { element, escaped } from "./markup.ts";
import { readable } from "./numbers.ts";
import type { ReportSection } from "./report.ts";
import { STYLE } from "./style.ts";
import { chartSvg } from "./svg.ts";

/** A report: a title and its parts in order. */
export interface Report {
  readonly title: string;
  readonly sections: readonly ReportSection[];
}

type TableSection = Extract<ReportSection, { readonly kind: "table" }>;

/** From this many headings on the page has a list of them. */
const NAV_FROM = 5;
/** Cells up to this many characters, such as `116, 11 min 25 s`, are not broken over lines. */
const MOST_UNBROKEN = 24;

/** Returns the files of a report: `report.html`, and each chart as an `.svg` of its own. Same report, same bytes. */
export function reportFiles(
  report: Report,
): readonly { readonly name: string; readonly text: string }[] {
  return [
    { name: "report.html", text: reportHtml(report) },
    ...report.sections.flatMap((section) =>
      section.kind !== "chart" ? [] : [{
        name: `${section.file}.svg`,
        text: chartSvg(section.chart, {
          title: section.heading,
          heading: section.heading,
        }) + "\n",
      }]
    ),
  ];
}

/** Writes a report as one HTML page that needs no network: style and charts are inside, scripts there are none. */
export function reportHtml({ title, sections }: Report): string {
  const body = element(
    "main",
    {},
    element("h1", {}, escaped(title)),
    contents(sections),
    ...sections.map(sectionHtml),
    element("footer", {}, "Made by rolecall. This page is complete in itself."),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function contents(sections: readonly ReportSection[]): string {
  const links = sections.flatMap(({ heading }, at) =>
    heading === undefined ? [] : [
      element(
        "li",
        {},
        element("a", { href: `#part-${at + 1}` }, escaped(heading)),
      ),
    ]
  );
  return links.length < NAV_FROM
    ? ""
    : element("nav", { "aria-label": "Contents" }, element("ul", {}, ...links));
}

function sectionHtml(section: ReportSection, at: number): string {
  const id = `part-${at + 1}`;
  const heading = section.heading === undefined
    ? ""
    : element("h2", { id }, escaped(section.heading));
  return `\n${element("section", {}, heading, ...contentOf(section, id))}`;
}

function contentOf(section: ReportSection, id: string): readonly string[] {
  switch (section.kind) {
    case "text":
      return section.text.trim().split(/\n\s*\n/).map((paragraph) =>
        element("p", {}, cellText(paragraph.trim()))
      );
    case "table":
      return [
        element("div", { class: "scroll" }, tableHtml(section, id)),
        section.note === undefined
          ? ""
          : element("p", { class: "note" }, escaped(section.note)),
      ];
    case "chart":
      return [element(
        "figure",
        {},
        chartSvg(section.chart, { title: section.heading }),
        section.note === undefined
          ? ""
          : element("figcaption", {}, escaped(section.note)),
      )];
  }
}

/** A column of numbers is set flush right; the first column names its row. */
function tableHtml({ columns, rows }: TableSection, id: string): string {
  const classes = columns.map((_, at) =>
    rows.length > 0 && rows.every((row) => typeof row[at] === "number")
      ? "number"
      : undefined
  );
  const head = columns.map((name, at) =>
    element("th", { scope: "col", class: classes[at] }, escaped(name))
  );
  const lines = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((cell, at) => {
        const text = typeof cell === "number" ? readable(cell) : cell;
        const name = classes[at] ??
          (text.length <= MOST_UNBROKEN ? "whole" : "long");
        return at === 0
          ? element("th", { scope: "row", class: name }, cellText(text))
          : element("td", { class: name }, cellText(text));
      }),
    )
  );
  return element(
    "table",
    { "aria-labelledby": id },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...lines),
  );
}

/** Nothing is shown as a dash: HTML has no short form for an element without content. */
function cellText(text: string): string {
  return text === "" ? "–" : escaped(text);
}
