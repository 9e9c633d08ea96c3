/** The project's folder, as a URL with a slash at its end. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** TypeScript files in folders of the project, as paths from its root, sorted. */
export async function sourceFiles(
  ...folders: readonly string[]
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for await (
      const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
    ) {
      const path = `${folder}/${name}`;
      if (isDirectory) found.push(...await sourceFiles(path));
      else if (/\.tsx?$/.test(name)) found.push(path);
    }
  }
  return found.sort();
}
