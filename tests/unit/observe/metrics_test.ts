import { assert, assertStringIncludes } from "@std/assert";
import { Metrics } from "../../../lib/observe/metrics.ts";

Deno.test("Metrics labels itself with role, name and version only when given more", () => {
  const who = { role: "edge", name: 'a"b', version: "1", config: { port: 0 } };
  const text = new Metrics(who).text();
  assertStringIncludes(text, '{role="edge",name="a\\"b",version="1"} 1');
  assert(!text.includes("config"));
});
