import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { reportFiles, reportHtml } from "../../../lib/report/html.ts";
import type { ReportSection } from "../../../lib/report/report.ts";

const CHART: ReportSection = {
  kind: "chart",
  heading: "Buffer",
  file: "buffer",
  chart: {
    kind: "line",
    xLabel: "time (s)",
    yLabel: "buffer (s)",
    series: [{ name: "a", shape: "line", points: [[0, 1], [1, 2]] }],
  },
  note: "Grows & grows",
};

const TABLE: ReportSection = {
  kind: "table",
  heading: "Peers",
  columns: ["Peer", "Bytes", "Ratio", "From"],
  rows: [["<a>", 33_554_432, 1.23456, "x"], ["b", 0, 2, ""]],
};

Deno.test("reportFiles makes the page and a file for each chart", () => {
  const files = reportFiles({ title: "T", sections: [TABLE, CHART] });
  assertEquals(files.map(({ name }) => name), ["report.html", "buffer.svg"]);
  assertStringIncludes(files[1]!.text, ">Buffer</text>");
});

Deno.test("reportHtml needs no network and no script", () => {
  const html = reportHtml({ title: "T", sections: [TABLE, CHART] });
  assertStringIncludes(
    html,
    "default-src &#39;none&#39;".replaceAll("&#39;", "'"),
  );
  const links = html.replaceAll("http://www.w3.org/2000/svg", "");
  assert(!/https?:|<script|<link|@import|url\(/.test(links));
});

Deno.test("reportHtml writes a table with headers, numbers flush right", () => {
  const html = reportHtml({ title: "T", sections: [TABLE] });
  assertStringIncludes(html, '<table aria-labelledby="part-1">');
  assertStringIncludes(html, '<th scope="col" class="number">Bytes</th>');
  assertStringIncludes(html, '<th scope="row" class="whole">&#60;a&#62;</th>');
  assertStringIncludes(
    html,
    '<td class="number">33,554,432</td><td class="number">1.23</td><td class="whole">x</td>',
  );
  assertStringIncludes(html, '<td class="whole">–</td>');
});

Deno.test("reportHtml splits text at empty lines", () => {
  const html = reportHtml({
    title: "a < b",
    sections: [{ kind: "text", text: "one\n\ntwo\nstill two\n" }],
  });
  assertStringIncludes(html, "<p>one</p><p>two\nstill two</p>");
  assertStringIncludes(html, "<title>a &#60; b</title>");
});

Deno.test("reportHtml lists its headings when there are many", () => {
  const few = reportHtml({ title: "T", sections: [TABLE, CHART] });
  const many = reportHtml({
    title: "T",
    sections: [TABLE, CHART, TABLE, TABLE, CHART],
  });
  assert(!few.includes("<nav"));
  assertStringIncludes(many, '<a href="#part-5">Buffer</a>');
  assertStringIncludes(many, '<h2 id="part-5">Buffer</h2>');
});

Deno.test("reportHtml makes the same bytes of the same report", () => {
  const report = { title: "T", sections: [TABLE, CHART] };
  assertEquals(reportHtml(report), reportHtml(report));
});
