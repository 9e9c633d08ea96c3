/**
 * Writes the program as plain JavaScript, without types, comments and white space, module by module, to a folder of its own.
 *
 * `deno compile` embeds of a TypeScript file its source, its JavaScript and a source map: 2.2 times the source. Of a
 * JavaScript file it embeds that file: half the source. (1 MB of TypeScript: 2.3 MB and 0.6 MB.)
 */
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";
import { stop, transform } from "npm:esbuild@0.25.12";
import config from "../deno.json" with { type: "json" };
import { moduleGraph } from "./module_graph.ts";

/** A relative import in esbuild's output, which writes strings in double quotes. */
const IMPORT_REGEXP = /(\bfrom ?|\bimport ?|\bimport\()"(\.[^"\n]+)\.ts"/g;

/** Stages what main.ts of `root` loads, and `included` files and folders as they are. The entry is `main.js`. */
export async function stage(
  root: string,
  folder: string,
  included: readonly string[],
): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const base = toFileUrl(root).href;
  const { modules = [] } = await moduleGraph(root, "main.ts");
  for (const { specifier } of modules) {
    if (!specifier.startsWith(base)) continue;
    const path = fromFileUrl(specifier).slice(root.length);
    if (!path.endsWith(".ts")) {
      // A text that a module imports.
      await copy(join(root, path), join(folder, path));
      continue;
    }
    const code = await javaScript(await Deno.readTextFile(join(root, path)));
    await write(join(folder, path.replace(/\.ts$/, ".js")), code);
  }
  await stop();
  for (const path of included) {
    await copy(join(root, path), join(folder, path));
  }
  const staged = {
    unstable: config.unstable,
    nodeModulesDir: config.nodeModulesDir,
    imports: { ...config.imports, ...await localPackages(root) },
  };
  await write(join(folder, "deno.json"), JSON.stringify(staged, null, 2));
  // The same versions of npm packages.
  await copy(join(root, "deno.lock"), join(folder, "deno.lock"));
}

async function javaScript(source: string): Promise<string> {
  const { code } = await transform(source, {
    loader: "ts",
    format: "esm",
    target: "esnext",
    charset: "utf8",
    // A fifth of it, and a twentieth of the rest. Names stay: they are in what a bug would print.
    minifyWhitespace: true,
    minifySyntax: true,
  });
  return code.replace(IMPORT_REGEXP, '$1"$2.js"');
}

/** Where the staged copies of the linked packages are: each of their exports as an import. */
async function localPackages(root: string): Promise<Record<string, string>> {
  const imports: Record<string, string> = {};
  for (const link of config.links) {
    const { name, exports } = JSON.parse(
      await Deno.readTextFile(join(root, link, "deno.json")),
    );
    for (const [path, file] of Object.entries<string>(exports)) {
      const staged = `${link}/${file.slice(2)}`.replace(/\.ts$/, ".js");
      imports[name + path.slice(1)] = staged;
    }
  }
  return imports;
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

/** Copies a file, or a folder with all in it; nothing where there is nothing. */
async function copy(from: string, to: string): Promise<void> {
  const stat = await Deno.stat(from).catch(() => null);
  if (stat === null) return;
  if (stat.isDirectory) {
    for await (const { name } of Deno.readDir(from)) {
      await copy(join(from, name), join(to, name));
    }
  } else {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to);
  }
}
