/**
 * The npm packages of the program where a bundler looks for them: as `node_modules/NAME`, while Deno keeps them by
 * version.
 */
import { dirname, join } from "@std/path";
import { moduleGraph } from "./module_graph.ts";

/** What a bundler needs; its folder is removed at the end. */
export interface Packages extends AsyncDisposable {
  /** Has a link for each package. */
  readonly folder: string;
  /** The licences of all: of what dash.js has in its bundle as well. */
  readonly licenses: string;
}

/** Links the packages that main.ts of `root` loads, and those that they load. */
export async function packagesOf(root: string): Promise<Packages> {
  const { npmCache = "" } = await moduleGraph(root);
  const { npmPackages = {} } = await moduleGraph(root, "main.ts");
  const folder = await Deno.makeTempDir({ prefix: "rolecall-packages-" });
  const namesByLicense = new Map<string, string[]>();
  for (const { name, version, registryUrl } of Object.values(npmPackages)) {
    if (name.startsWith("@types/")) continue;
    const cached = join(npmCache, new URL(registryUrl).host, name, version);
    await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
    await Deno.symlink(cached, join(folder, name), { type: "junction" });
    const license = await licenseOf(cached);
    const names = namesByLicense.get(license) ?? [];
    namesByLicense.set(license, [...names, `${name} ${version}`]);
  }
  return {
    folder,
    licenses: [...namesByLicense]
      .map(([license, names]) => `${names.join(", ")}\n\n${license}\n`)
      .join("\n"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The text of a package's licence, or its name where that is all there is. Some differ in their spaces only. */
async function licenseOf(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!/^licen[cs]e/i.test(name)) continue;
    const text = await Deno.readTextFile(join(folder, name));
    return text.trim().replace(/[ \t]*\r?\n\s*/g, "\n");
  }
  const { license } = JSON.parse(
    await Deno.readTextFile(join(folder, "package.json")),
  );
  return String(license);
}
