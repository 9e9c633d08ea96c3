/**
 * The files of an `info` dictionary of BEP 3, with the attributes of BEP 47: `p` padding, `l` symbolic link, `x`
 * executable, `h` hidden. Links must point below the torrent's own folder.
 */
import {
  type BencodeDictionary,
  type BencodeValue,
  isBytes,
  isDictionary,
  isList,
} from "../bencode.ts";
import { pathOf, requireInteger, wrong } from "./_entries.ts";
import { checkPath, checkPaths } from "./_paths.ts";
import type { LayoutFile } from "./layout.ts";

/** Most files in a torrent: each costs memory, and a look at the disk at start. */
export const MAX_FILES = 100_000;

/** Reads `files`. @throws {SyntaxError} */
export function readFiles(
  list: BencodeValue | undefined,
  name: string,
): LayoutFile[] {
  if (!isList(list) || list.length === 0) {
    throw wrong("files", "must be a list with at least one file", list);
  }
  if (list.length > MAX_FILES) {
    throw wrong("files", `must have at most ${MAX_FILES} files`, list);
  }
  const files: LayoutFile[] = [];
  let offset = 0;
  for (const [index, entry] of list.entries()) {
    const file = readFile(entry, `files[${index}]`, { name, offset });
    files.push(file);
    offset += file.lengthBytes;
  }
  // Clients that know no padding files write them all to one place, and torrents repeat their names.
  checkPaths(files.filter((file) => !file.padding).map((file) => file.path));
  return files;
}

function readFile(
  entry: BencodeValue,
  where: string,
  { name, offset }: { readonly name: string; readonly offset: number },
): LayoutFile {
  if (!isDictionary(entry)) throw wrong(where, "must be a dictionary", entry);
  const attributes = readAttributes(entry, where, name);
  const link = attributes.link !== undefined;
  const lengthBytes = link && !entry.has("length") ? 0 : requireInteger(
    entry,
    "length",
    { min: 0, max: link ? 0 : Number.MAX_SAFE_INTEGER - offset },
  );
  // A padding file's path is of no use, and BEP 47 lets it be left out.
  const path = attributes.padding
    ? [".pad", String(lengthBytes)]
    : pathOf(entry.get("path"), `${where}.path`);
  checkPath(path, `${where}.path`);
  return { path: [name, ...path], lengthBytes, offset, ...attributes };
}

/** What `attr` can say of a file (BEP 47). */
export type FileAttributes = Pick<
  LayoutFile,
  "padding" | "executable" | "hidden" | "link"
>;

/** Reads `attr` and `symlink path` of a file. @throws {SyntaxError} If a link leads out of the torrent. */
export function readAttributes(
  entry: BencodeDictionary,
  where: string,
  name: string,
): FileAttributes {
  const attr = entry.get("attr");
  if (!isBytes(attr)) return {};
  const letters = String.fromCharCode(...attr.subarray(0, 16));
  if (!letters.includes("l")) {
    return {
      ...(letters.includes("p") ? { padding: true } : {}),
      ...(letters.includes("x") ? { executable: true } : {}),
      ...(letters.includes("h") ? { hidden: true } : {}),
    };
  }
  const target = pathOf(entry.get("symlink path"), `${where}.symlink path`);
  checkPath(target, `${where}.symlink path`);
  return { link: [name, ...target] };
}
