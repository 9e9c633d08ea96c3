import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { runTool, temporaryFolder } from "../support/program.ts";

/** Throws when it is called for the first time with this name, whatever process calls. */
const AT_FIRST = `
function atFirst(name) {
  const seen = new URL(name, import.meta.url);
  try {
    Deno.statSync(seen);
  } catch {
    Deno.writeTextFileSync(seen, "");
    throw new Error("bad luck with " + name);
  }
}
`;

const FILES = {
  "tests/unit/clear_test.ts": `${AT_FIRST}
Deno.test("unit", () => atFirst("unit"));
Deno.test("unit passes", () => {});
`,
  "tests/interop/luck_interop.ts": `${AT_FIRST}
Deno.test("one (a|b) [c] /d", () => atFirst("one"));
Deno.test("one (a|b) [c] /d and more", () => {});
Deno.test("steps ... of one", async (t) => {
  await t.step("first", () => atFirst("first"));
  await t.step("second", () => {});
});
Deno.test("never", () => {
  throw new Error("never:\\n FAILURES \\n\\nno test => ./no_file.ts:1:1\\n\\n7 passed, 0 failed");
});
`,
  "tests/interop/outside_interop.ts": `${AT_FIRST}
Deno.test("before", () => {});
Deno.test("meanwhile", async () => {
  setTimeout(() => atFirst("meanwhile"), 0);
  await new Promise((wake) => setTimeout(wake, 50));
});
Deno.test("after", () => {});
`,
  "tests/interop/loads_interop.ts": `${AT_FIRST}
atFirst("load");
Deno.test("loaded", () => {});
`,
};

/** A project of its own with our `run_tests.ts` and these files. */
async function project(path: string): Promise<void> {
  const source = (name: string) =>
    new URL(`../../${name}`, import.meta.url).href;
  const imports = { "@std/path": source("std/path/mod.ts") };
  const files = { ...FILES, "deno.json": JSON.stringify({ imports }) };
  for (const folder of ["support", "unit", "interop"]) {
    await Deno.mkdir(join(path, "tests", folder), { recursive: true });
  }
  for (const name of ["run_tests.ts", "together.ts"]) {
    const from = fromFileUrl(source(`tests/support/${name}`));
    await Deno.copyFile(from, join(path, "tests/support", name));
  }
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(path, name), text);
  }
}

Deno.test("run_tests runs what failed again, alone, and tells what it was; unit tests have one chance", async () => {
  await using folder = await temporaryFolder();
  await project(folder.path);
  const files = Object.keys(FILES).slice(1);
  const { code, stdout } = await runTool(Deno.execPath(), [
    ...["run", "-A", "--quiet", "tests/support/run_tests.ts", "--no-check"],
    ...["--parallel", "tests/unit", ...files],
  ], { cwd: folder.path, timeoutMs: 120_000 });
  const account = stdout.split("\n");
  const luck = ": failed at first, passed when run again alone";
  assertEquals(
    account.filter((line) => /^(FLAKY|FAILED): /.test(line)).toSorted(),
    [
      "FAILED: ./tests/interop/luck_interop.ts => never",
      "FAILED: ./tests/unit/clear_test.ts => unit",
      `FLAKY: ./tests/interop/loads_interop.ts => (uncaught error)${luck}`,
      `FLAKY: ./tests/interop/luck_interop.ts => one (a|b) [c] /d${luck}`,
      `FLAKY: ./tests/interop/luck_interop.ts => steps ... of one${luck}`,
      `FLAKY: ./tests/interop/outside_interop.ts => (uncaught error)${luck}`,
    ],
    stdout,
  );
  for (const name of ["unit", "one", "first", "meanwhile", "load"]) {
    const told = account.filter((line) =>
      line.startsWith("    error: ") &&
      line.endsWith(`Error: bad luck with ${name}`)
    );
    assertEquals(told.length, 1, `${name}\n${stdout}`);
  }
  // unit passes; three of luck; before, meanwhile, after; loaded.
  assertEquals(account.slice(-2), ["8 passed, 2 failed", ""], stdout);
  assertEquals(code, 1);
});

Deno.test("run_tests ends well when all that failed passes alone, and runs nothing again when too much failed", async () => {
  await using folder = await temporaryFolder();
  await project(folder.path);
  const runTests = (file: string) =>
    runTool(Deno.execPath(), [
      ...["run", "-A", "--quiet", "tests/support/run_tests.ts", "--no-check"],
      file,
    ], { cwd: folder.path, timeoutMs: 120_000 });
  const outside = await runTests("tests/interop/outside_interop.ts");
  assertEquals(outside.stdout.split("\n").at(-2), "3 passed, 0 failed");
  assertEquals(outside.code, 0);

  await Deno.writeTextFile(
    join(folder.path, "tests/interop/many_interop.ts"),
    `${AT_FIRST}
for (let i = 0; i < 9; i++) Deno.test("many " + i, () => atFirst("many" + i));
`,
  );
  const many = await runTests("tests/interop/many_interop.ts");
  assertEquals(many.stdout.split("\n").at(-2), "0 passed, 9 failed");
  assertEquals(many.stdout.includes("FLAKY: "), false);
  assertEquals(many.code, 1);
});
