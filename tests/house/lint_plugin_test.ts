import { assertEquals } from "@std/assert";
import plugin from "./lint_plugin.ts";

/** The rules that `source` breaks in `file`, in order. */
function broken(file: string, source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, `/p/${file}`, source).map(({ id }) => id);
}

const BROKEN: Readonly<
  Record<string, readonly [file: string, source: string]>
> = {
  "Date.now in lib/dns": ["lib/dns/a.ts", "Date.now();"],
  "Math.random in lib/http": ["lib/http/a.ts", "Math.random();"],
  "new Date() in lib/media": ["lib/media/a.ts", "new Date();"],
  "performance.now in lib/core": ["lib/core/a.ts", "performance.now();"],
  "setTimeout in lib/report": ["lib/report/a.ts", "setTimeout(f);"],
  "fetch in lib/cli": ["lib/cli/a.ts", "fetch(u);"],
  "console in lib/events": ["lib/events/a.ts", "console.log(1);"],
};

for (const [what, [file, source]] of Object.entries(BROKEN)) {
  Deno.test(`house/pure-module reports ${what}`, () => {
    assertEquals(broken(file, source), ["house/pure-module"]);
  });
}

Deno.test("house/pure-module lets pure dates, other folders and other names be", () => {
  assertEquals(
    broken("lib/dns/a.ts", "new Date(5); a.now(); Math.floor(1);"),
    [],
  );
  assertEquals(broken("lib/io/a.ts", "Date.now(); fetch(u);"), []);
  assertEquals(broken("lib/core/a.ts", "constructor.x; toString.y;"), []);
});

Deno.test("house/deno-only-in-io reports Deno in roles and lib, except lib/io/deno", () => {
  const source = "Deno.readFile(p);";
  const rule = ["house/deno-only-in-io"];
  assertEquals(broken("roles/peer/mod.ts", source), rule);
  assertEquals(broken("lib/observe/log.ts", source), rule);
  assertEquals(broken("lib/io/net.ts", source), rule);
  assertEquals(broken("lib/io/deno/files.ts", source), []);
  assertEquals(broken("main.ts", source), []);
  assertEquals(broken("tests/unit/a_test.ts", source), []);
});

Deno.test("house/linked-abort reports AbortSignal.any in the product", () => {
  const source = "AbortSignal.any([a, b]);";
  assertEquals(broken("roles/peer/a.ts", source), ["house/linked-abort"]);
  assertEquals(broken("lib/io/a.ts", source), ["house/linked-abort"]);
  assertEquals(broken("lib/io/a.ts", "AbortSignal.timeout(1);"), []);
  assertEquals(broken("tests/support/a.ts", source), []);
});

Deno.test("house/short-function reports a function of 61 lines", () => {
  const body = (lines: number) => `function f() {${"\n".repeat(lines - 1)}}`;
  assertEquals(broken("lib/io/a.ts", body(60)), []);
  assertEquals(broken("lib/io/a.ts", body(61)), ["house/short-function"]);
  assertEquals(broken("lib/io/a.ts", `class A { ${body(61).slice(9)} }`), [
    "house/short-function",
  ]);
  assertEquals(broken("tests/a_test.ts", body(99)), []);
});

Deno.test("house/shallow-nesting reports the fifth level, once", () => {
  const nest = (depth: number, inner = ";") =>
    "for (;;) {".repeat(depth) + inner + "}".repeat(depth);
  assertEquals(broken("roles/a/b.ts", nest(4)), []);
  assertEquals(broken("roles/a/b.ts", nest(6)), ["house/shallow-nesting"]);
  const chain = "if (a) {} else if (b) {} else if (c) {} else if (d) {}";
  assertEquals(broken("roles/a/b.ts", nest(3, chain)), []);
  const inFunction = `g(() => { ${nest(3)} });`;
  assertEquals(broken("roles/a/b.ts", nest(3, inFunction)), []);
  assertEquals(broken("roles/a/b.ts", nest(2) + nest(2) + nest(4)), []);
});

Deno.test("house/plain-declarations reports arrows at top level, default exports and enums", () => {
  const rule = "house/plain-declarations";
  assertEquals(broken("lib/a.ts", "const f = () => 1;"), [rule]);
  assertEquals(broken("lib/a.ts", "export const f = () => 1;"), [rule]);
  assertEquals(broken("lib/a.ts", "export default 1;"), [rule]);
  assertEquals(broken("lib/a.ts", "enum A { B }"), [rule]);
  assertEquals(
    broken("lib/a.ts", "function f() { const g = () => 1; return g; }"),
    [],
  );
  assertEquals(broken("lib/a.ts", "const a = { f: () => 1 };"), []);
});
