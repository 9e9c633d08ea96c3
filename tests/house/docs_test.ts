import { assertEquals } from "@std/assert";
import { ROOT, sourceFiles } from "../support/sources.ts";
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

Deno.test("docs name files and folders that exist", async () => {
  const files = (await sourceFiles("bench", "lib", "roles", "std", "tests"))
    .concat("main.ts");
  const missing: string[] = [];
  for await (const page of pages(new URL("docs/", ROOT))) {
    const text = await Deno.readTextFile(page);
    for (const [, named] of text.matchAll(NAMED)) {
      for (const path of braced(named!)) {
        const is = pathPattern(path);
        if (!files.some((file) => is.test(file))) {
          missing.push(`${page.pathname}: ${path}`);
        }
      }
    }
  }
  assertEquals(missing, []);
});

Deno.test("links of docs lead to files, and so do paths in their commands", async () => {
  const missing: string[] = [];
  for await (const page of pages(new URL("docs/", ROOT))) {
    const text = await Deno.readTextFile(page);
    const linked = [...text.matchAll(LINKED)]
      .map(([, path]) => new URL(path!, page));
    const commanded = [...text.matchAll(COMMANDED)]
      .map(([path]) => new URL(path, ROOT));
    for (const url of [...linked, ...commanded]) {
      const isThere = await Deno.stat(url).then(() => true, () => false);
      if (!isThere) missing.push(`${page.pathname}: ${url.pathname}`);
    }
  }
  assertEquals(missing, []);
});

/** Where a link leads that stays within the project. */
const LINKED = /\]\((?![a-z]+:)([^)#\s]+)/g;
/** A file that a command runs. */
const COMMANDED = /(?<=deno (?:test|run|bench) (?:[^\n]* )?)tests\/[\w/]+\.ts/g;

/** A module, by its path or the end of it, or a folder with modules; `{a,b}` and `*` as in a shell. */
const NAMED =
  /`([a-z][\w/{},*]*\.ts|(?:bench|lib|roles|std|tests)(?:\/[\w{},]+)+\/?)`/g;

/** `a{b,c}` is `ab` and `ac`. */
function braced(named: string): string[] {
  const [, before, names, after] = /^(.*?)\{(.*?)\}(.*)$/.exec(named) ?? [];
  return names === undefined
    ? [named]
    : names.split(",").flatMap((name) => braced(before + name + after));
}

/** What the path of a file matches that `named` means, or one that lies in it. */
function pathPattern(named: string): RegExp {
  const pattern = named.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return named.endsWith(".ts")
    ? new RegExp(`(^|/)${pattern}$`)
    : new RegExp(`^${pattern.replace(/\/$/, "")}/`);
}

async function* pages(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* pages(new URL(`${name}/`, folder));
    else if (name.endsWith(".md")) yield new URL(name, folder);
  }
}
