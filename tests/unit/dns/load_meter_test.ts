import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../lib/core/errors.ts";
import {
  EDGE_LOAD_METRICS,
  LoadMeter,
  parseMetricSelector,
} from "../../../lib/dns/load_meter.ts";
import { EVENTS } from "../../../lib/events/mod.ts";
import { Metrics } from "../../../lib/observe/metrics.ts";

function meter(...selectors: string[]): LoadMeter {
  return new LoadMeter(selectors.map(parseMetricSelector));
}

Deno.test("LoadMeter reads what an edge's own metrics say of the bytes it sent", () => {
  const metrics = new Metrics({ role: "edge", name: "e", version: "1" });
  const loads = new LoadMeter(EDGE_LOAD_METRICS);
  const answered = (bytes: number) =>
    metrics.sink({
      ...{ seq: 1, time: "", atMs: 0, role: "edge", name: "e" },
      ...{ type: "edge.answered", remote: "", method: "GET", path: "/" },
      ...{ status: 200, cacheStatus: "hit", bytes, durationMs: 1 },
      complete: true,
    });
  assertEquals(loads.read(metrics.text(), 0), undefined);
  assertEquals(loads.read(metrics.text(), 1000), 0);
  answered(3000);
  answered(1000);
  assertEquals(loads.read(metrics.text(), 3000), 2000);
  assertEquals(loads.format(2 ** 20), "1.00 MiB/s");
  // the types that are read are ones an edge has
  for (const { labels } of EDGE_LOAD_METRICS) {
    assertEquals(labels.get("type")! in EVENTS, true);
  }
});

Deno.test("LoadMeter takes a gauge as it is, and adds up its samples", () => {
  const page = [
    "# HELP open Open connections.",
    "# TYPE open gauge",
    'open{listener="a\\"b,}"} 3',
    'open{listener="c", kind="x"} 4.5 1700000000000',
    "opened 100",
    "broken {",
  ].join("\n");
  assertEquals(meter("open").read(page, 0), 7.5);
  assertEquals(meter('open{listener="c"}').read(page, 0), 4.5);
  assertEquals(meter('open{listener="a\\"b,}"}').read(page, 0), 3);
  assertEquals(meter("open").format(7.512345), "7.51");
});

Deno.test("LoadMeter starts anew when a counter has", () => {
  const counter = meter("requests_total");
  assertEquals(counter.read("requests_total 100", 0), undefined);
  assertEquals(counter.read("requests_total 150", 1000), 50);
  assertEquals(counter.read("requests_total 7", 2000), undefined);
  assertEquals(counter.read("requests_total 27", 4000), 10);
  assertEquals(counter.format(10), "10/s");
});

Deno.test("LoadMeter refuses pages without metrics, or without this one", () => {
  for (const page of ["", "ok\n", "<html>404</html>"]) {
    assertThrows(() => meter("a_total").read(page, 0), ProtocolError);
  }
  assertThrows(() => meter("a").read("b 1", 0), ProtocolError);
  // a counter that never counted is not there
  assertEquals(meter("a_total").read("b 1", 0), undefined);
  assertThrows(() => meter("a", "b_total"), RangeError);
});

Deno.test("LoadMeter refuses a load beyond all measure: added to others it would leave no number", () => {
  for (const value of ["1e999", "-Infinity", "1e19"]) {
    assertThrows(
      () => meter("a").read(`a ${value}`, 0),
      ProtocolError,
      "a must be at most 1000000000000000000, got ",
    );
  }
  assertThrows(() => meter("a_total").read("a_total 1e308", 0), ProtocolError);
  assertEquals(meter("a").read("a -3", 0), -3);
});

Deno.test("parseMetricSelector refuses what is no metric", () => {
  for (
    const text of ["", "1a", "a b", "a{", 'a{b="c}', "a{b=c}", 'a{="c"}', "a}"]
  ) assertThrows(() => parseMetricSelector(text), RangeError, "must be");
});
