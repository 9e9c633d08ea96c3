/**
 * Loads all test files below the folders of its arguments into one isolate: `deno test -A tests/support/together.ts --
 * tests/unit …`. An isolate for each file, as `deno test` makes them, costs 0.4 s a file, more than most files' tests.
 */

const ROOT = new URL("../../", import.meta.url);

async function* testFiles(folder: URL): AsyncGenerator<URL> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  for (
    const { name, isDirectory } of entries.toSorted((a, b) =>
      a.name < b.name ? -1 : 1
    )
  ) {
    if (isDirectory) yield* testFiles(new URL(`${name}/`, folder));
    else if (name.endsWith("_test.ts")) yield new URL(name, folder);
  }
}

for (const folder of Deno.args) {
  for await (const file of testFiles(new URL(`${folder}/`, ROOT))) {
    await import(file.href);
  }
}
