/** A part of `deno info --json`. */
export interface ModuleGraph {
  readonly npmCache?: string;
  readonly modules?: readonly { readonly specifier: string }[];
  readonly npmPackages?: Readonly<
    Record<string, {
      readonly name: string;
      readonly version: string;
      readonly registryUrl: string;
    }>
  >;
}

/** Asks Deno for the modules a file loads, lazily imported ones included; without a file, for where its caches are. */
export async function moduleGraph(
  root: string,
  ...file: readonly string[]
): Promise<ModuleGraph> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...file],
    cwd: root,
    stderr: "inherit",
  }).output();
  if (!success) {
    throw new Error("Cannot read the module graph: deno info failed");
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}
