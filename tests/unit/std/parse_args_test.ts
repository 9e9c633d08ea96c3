import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

const CASES: readonly {
  readonly args: readonly string[];
  readonly finds: Readonly<Record<string, unknown>>;
}[] = [
  { args: ["--host", "a"], finds: { host: "a" } },
  { args: ["--host=a=b"], finds: { host: "a=b" } },
  { args: ["--host="], finds: { host: "" } },
  { args: ["--host", "--json"], finds: { host: "", json: true } },
  { args: ["--host", "007"], finds: { host: "007" } },
  { args: ["--host", "a", "--host", "b"], finds: { host: "b" } },
  { args: ["--json", "file"], finds: { json: true, _: ["file"] } },
  { args: ["--json", "false"], finds: { json: false } },
  { args: ["--json=false"], finds: { json: false } },
  { args: ["--json=no"], finds: { json: true } },
  { args: ["--origin", "a", "--origin", "b"], finds: { origin: ["a", "b"] } },
  { args: ["-o", "x"], finds: { o: "x", out: "x" } },
  { args: ["-ox"], finds: { o: true, x: true, out: true } },
  { args: ["-o=x"], finds: { o: "x", out: "x" } },
  { args: ["--n", "-5"], finds: { n: true, 5: true } },
  { args: ["--n", "0x10"], finds: { n: 16 } },
  { args: ["-p80"], finds: { p: 80 } },
  { args: ["1e3", "-", "x"], finds: { _: [1000, "-", "x"] } },
  { args: ["a", "--", "--json"], finds: { _: ["a"], "--": ["--json"] } },
];

for (const { args, finds } of CASES) {
  Deno.test(`parseArgs reads ${args.join(" ")}`, () => {
    const found = parseArgs(args, {
      string: ["host", "origin"],
      boolean: ["json"],
      collect: ["origin"],
      alias: { out: "o" },
      "--": true,
    });
    assertEquals<unknown>(found, {
      _: [],
      "--": [],
      json: false,
      origin: [],
      ...finds,
    });
  });
}

Deno.test("parseArgs asks about what is not declared", () => {
  const asked: unknown[] = [];
  const found = parseArgs(["--host", "a", "--hots=b", "file", "-z"], {
    string: ["host"],
    unknown: (arg, key, value) => {
      asked.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(asked, [
    ["--hots=b", "hots", "b"],
    ["file", undefined, undefined],
    ["-z", "z", true],
  ]);
  assertEquals<unknown>(found, { _: [], host: "a" });
});
