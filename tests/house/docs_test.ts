import { assertEquals } from "@std/assert";
import { ROOT } from "../support/sources.ts";
import { referencePages } from "./generate_docs.ts";

Deno.test("docs/reference is what `deno task docs` writes", async () => {
  for (const [name, text] of await referencePages()) {
    const page = new URL(`docs/reference/${name}`, ROOT);
    const written = (await Deno.readTextFile(page)).replaceAll("\r\n", "\n");
    assertEquals(
      written === text,
      true,
      `docs/reference/${name} is stale: run deno task docs`,
    );
  }
});

Deno.test("docs name tests and benches that exist", async () => {
  const missing: string[] = [];
  for await (const page of pages(new URL("docs/", ROOT))) {
    const text = await Deno.readTextFile(page);
    for (const [, path] of text.matchAll(/`((?:tests|bench)\/[\w/]+\.ts)`/g)) {
      const there = await Deno.stat(new URL(path!, ROOT)).catch(() =>
        undefined
      );
      if (there === undefined) missing.push(`${page.pathname}: ${path}`);
    }
  }
  assertEquals(missing, []);
});

async function* pages(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* pages(new URL(`${name}/`, folder));
    else if (name.endsWith(".md")) yield new URL(name, folder);
  }
}
