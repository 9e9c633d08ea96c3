/**
 * Finds the files of npm packages that the program never loads. `deno compile` embeds whole packages: other builds of
 * the same code, types, prose, and packages that only the type check needs; without them the executable is 2 MB smaller.
 *
 * Starting from the packages in the module graph of main.ts it follows `import`, `export … from` and `require` of
 * literal names. A package that computes names to load would need an entry in {@linkcode ALSO_LOADED}; the system
 * tests run every role in the executable.
 */
import { moduleGraph } from "./module_graph.ts";

/** What an export of package.json leads to. */
type Target = string | undefined | { readonly [condition: string]: Target };

/** Files that are loaded by computed names, by package. */
const ALSO_LOADED: Readonly<Record<string, readonly string[]>> = {};

const IMPORT_REGEXP =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']([^"'\n]+)["']/g;

/** Returns the paths inside the package cache that need not be in the executable. */
export async function unusedPackageFiles(
  root: string,
): Promise<readonly string[]> {
  const { npmCache = "" } = await moduleGraph(root);
  const { modules = [], npmPackages = {} } = await moduleGraph(root, "main.ts");
  const folders = new Map(
    Object.values(npmPackages).map(({ name, version, registryUrl }) => [
      name,
      `${npmCache}/${new URL(registryUrl).host}/${name}/${version}`,
    ]),
  );
  const used = new Set<string>();
  for (const { specifier } of modules) {
    const match = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@[^/]+(\/.+)?$/.exec(specifier);
    if (match?.[1]?.startsWith("@types/") === false) {
      follow(`${match[1]}${match[2] ?? ""}`, "", folders, used);
    }
  }
  for (const [name, files] of Object.entries(ALSO_LOADED)) {
    for (const file of files) follow(`${name}/${file}`, "", folders, used);
  }
  return [...folders.values()].flatMap((folder) => unusedIn(folder, used));
}

/** Adds the file that `specifier` names, seen from `from`, and all that it imports. */
function follow(
  specifier: string,
  from: string,
  folders: ReadonlyMap<string, string>,
  used: Set<string>,
): void {
  const file = specifier.startsWith(".")
    ? existing(new URL(specifier, `file://${from}`).pathname)
    : packageFile(specifier, folders);
  if (file === undefined || used.has(file)) return;
  used.add(file);
  if (file.endsWith(".json")) return;
  for (const [, name] of Deno.readTextFileSync(file).matchAll(IMPORT_REGEXP)) {
    follow(name!, file, folders, used);
  }
}

/** The file of `package` or `package/path`, by its package.json; undefined for what is no package, such as `node:fs`. */
function packageFile(
  specifier: string,
  folders: ReadonlyMap<string, string>,
): string | undefined {
  const [, name, path = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.+)?$/.exec(specifier) ??
    [];
  const folder = folders.get(name ?? "");
  if (folder === undefined) return undefined;
  const { exports, module, main = "index.js" } = JSON.parse(
    Deno.readTextFileSync(`${folder}/package.json`),
  );
  const isRoot = path === "" && exports?.["."] === undefined;
  const exported = target(isRoot ? exports : exports?.[`.${path}`]);
  return existing(
    `${folder}/${exported ?? (path === "" ? module ?? main : path.slice(1))}`
      .replace("/./", "/"),
  );
}

function target(entry: Target): string | undefined {
  return typeof entry !== "object"
    ? entry
    : target(entry["import"] ?? entry["require"] ?? entry["default"]);
}

function existing(path: string): string | undefined {
  return [path, `${path}.js`, `${path}/index.js`].find((candidate) => {
    try {
      return Deno.statSync(candidate).isFile;
    } catch {
      return false;
    }
  });
}

/** Whole folders where nothing is used, single files elsewhere; package.json and the licence of a used package stay. */
function unusedIn(folder: string, used: ReadonlySet<string>): string[] {
  const isUsed = (path: string) =>
    [...used].some((file) => file === path || file.startsWith(`${path}/`));
  if (!isUsed(folder)) return [folder];
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (/^(package\.json|licen[cs]e.*)$/i.test(name)) return [];
    return isDirectory ? unusedIn(path, used) : isUsed(path) ? [] : [path];
  });
}
