/**
 * Writes the program as plain JavaScript, without types, comments and white space, module by module, to a folder of its own.
 *
 * `deno compile` embeds of a TypeScript file its source, its JavaScript and a source map: 2.2 times the source. Of a
 * JavaScript file it embeds that file: half the source. (1 MB of TypeScript: 2.3 MB and 0.6 MB.) Of an npm package it
 * embeds every file; so `npm/` has what the program uses of packages, and the executable no package.
 */
import { gzipSync } from "node:zlib";
import { basename, dirname, fromFileUrl, join, toFileUrl } from "@std/path";
import { build, type Plugin, stop, transform } from "npm:esbuild@0.25.12";
import config from "../deno.json" with { type: "json" };
import { moduleGraph } from "./module_graph.ts";
import { packagesOf } from "./packages.ts";

/** Where what comes of packages is, in the folder and for imports. */
const NPM = "npm/";

/** A relative import in esbuild's output, which writes strings in double quotes. */
const IMPORT_REGEXP = /(\bfrom ?|\bimport ?|\bimport\()"(\.[^"\n]+)\.ts"/g;

/** An import of an npm package there. */
const PACKAGE_REGEXP = /\bfrom ?"(?!\.|@std\/|node:)/;

const JAVASCRIPT = {
  format: "esm",
  target: "esnext",
  charset: "utf8",
  // A fifth of it, and a twentieth of the rest. Names stay: they are in what a bug would print.
  minifyWhitespace: true,
  minifySyntax: true,
} as const;

/** Stages what main.ts of `root` loads, and `included` files and folders as they are. The entry is `main.js`. */
export async function stage(
  root: string,
  folder: string,
  included: readonly string[],
): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const base = toFileUrl(root).href;
  const { modules = [] } = await moduleGraph(root, "main.ts");
  const ofPackages: string[] = [];
  for (const { specifier } of modules) {
    if (!specifier.startsWith(base)) continue;
    const path = fromFileUrl(specifier).slice(root.length);
    if (!path.endsWith(".ts")) {
      // A text that a module imports.
      await copy(join(root, path), join(folder, path));
      continue;
    }
    const code = await javaScript(await Deno.readTextFile(join(root, path)));
    const file = join(folder, path.replace(/\.ts$/, ".js"));
    await write(file, code);
    if (PACKAGE_REGEXP.test(code)) ofPackages.push(file);
  }
  await addPackages(root, folder, ofPackages);
  await stop();
  for (const path of included) {
    await copy(join(root, path), join(folder, path));
  }
  const staged = {
    unstable: config.unstable,
    imports: { [NPM]: `./${NPM}`, ...await localPackages(root) },
  };
  await write(join(folder, "deno.json"), JSON.stringify(staged));
}

async function javaScript(source: string): Promise<string> {
  const { code } = await transform(source, { loader: "ts", ...JAVASCRIPT });
  return code.replace(IMPORT_REGEXP, '$1"$2.js"');
}

/** Puts what the staged `files` use of packages beside them: once what several use, and nothing that none does. */
async function addPackages(
  root: string,
  folder: string,
  files: string[],
): Promise<void> {
  await using packages = await packagesOf(root);
  await build({
    ...JAVASCRIPT,
    entryPoints: files,
    allowOverwrite: true,
    outbase: folder,
    outdir: folder,
    chunkNames: `${NPM}[hash]`,
    bundle: true,
    splitting: true,
    plugins: [onlyPackages(folder)],
    nodePaths: [packages.folder],
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["@std/*", "node:*", `${NPM}*`],
    logLevel: "error",
  });
  await write(join(folder, NPM, "LICENSES"), packages.licenses);
}

/** Leaves modules in `folder` by themselves, and packs what of a package is loaded as a text. */
function onlyPackages(folder: string): Plugin {
  return {
    name: "only-packages",
    setup({ onLoad, onResolve, resolve }) {
      onResolve(
        { filter: /^\./ },
        ({ path, importer }) =>
          importer.startsWith(folder) ? { path, external: true } : undefined,
      );
      onResolve(
        { filter: /^[^.]/ },
        async ({ path, kind, resolveDir, with: { type } }) => {
          if (type !== "text") return undefined;
          const file = await resolve(path, { kind, resolveDir });
          return { path: file.path, namespace: "text" };
        },
      );
      onLoad({ filter: /./, namespace: "text" }, async ({ path }) => {
        const name = `${NPM}${basename(path)}.gz`;
        await pack(path, join(folder, name));
        return { contents: unpacking(name) };
      });
    },
  };
}

/** A module that exports the text of a packed file. */
function unpacking(name: string): string {
  return `import packed from "${name}" with { type: "bytes" };
const gunzip = new DecompressionStream("gzip");
export default await new Response(new Blob([packed]).stream().pipeThrough(gunzip)).text();`;
}

async function pack(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.writeFile(to, gzipSync(await Deno.readFile(from), { level: 9 }));
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
