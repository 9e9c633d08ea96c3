import { assert, assertStringIncludes } from "@std/assert";
import { Metrics } from "../../../lib/observe/metrics.ts";

Deno.test("Metrics labels itself with role, name and version only when given more", () => {
  const who = { role: "edge", name: 'a"b', version: "1", config: { port: 0 } };
  const text = new Metrics(who).text();
  assertStringIncludes(text, '{role="edge",name="a\\"b",version="1"} 1');
  assert(!text.includes("config"));
});

Deno.test("Metrics counts what one event stands for", () => {
  const metrics = new Metrics({ role: "edge", name: "a", version: "1" });
  for (const times of [1, 149]) {
    metrics.sink({
      ...{ seq: 1, time: "", atMs: 0, role: "edge", name: "a" },
      ...{ type: "upstream.failed", origin: "o", code: "c", message: "no" },
      ...(times === 1 ? {} : { times }),
    });
  }
  assertStringIncludes(metrics.text(), 'origin="o",code="c"} 150\n');
});
