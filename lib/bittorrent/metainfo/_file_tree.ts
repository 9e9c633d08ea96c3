/**
 * The `file tree` of an `info` dictionary of v2 (BEP 52): folders are dictionaries keyed by name, a file is a dictionary
 * whose one key is empty. Every file begins at a piece, in the order of the tree.
 */
import {
  type BencodeDictionary,
  type BencodeValue,
  bytesOfKey,
  isBytes,
  isDictionary,
} from "../bencode.ts";
import { requireInteger, textOf, wrong } from "./_entries.ts";
import { MAX_FILES, readAttributes } from "./_info_files.ts";
import { checkPath, checkPaths } from "./_paths.ts";
import type { LayoutFile } from "./layout.ts";

/** Bytes of a SHA-256 hash. */
const ROOT_BYTES = 32;

/** Reads `file tree`. A tree of one bare file that is called like the torrent has no folder around it. @throws {SyntaxError} */
export function readFileTree(
  tree: BencodeValue | undefined,
  { name, pieceLength }: {
    readonly name: string;
    readonly pieceLength: number;
  },
): LayoutFile[] {
  if (!isDictionary(tree) || tree.size === 0) {
    throw wrong("file tree", "must be a dictionary with a file", tree);
  }
  if (tree.has("")) throw wrong("file tree", "must have names", tree);
  const found: { path: string[]; entry: BencodeDictionary }[] = [];
  collect(tree, [], found);
  const only = found[0]?.path;
  const bare = found.length === 1 && only?.length === 1 && only[0] === name;
  const files: LayoutFile[] = [];
  let offset = 0;
  for (const { path, entry } of found) {
    const file = readFile(entry, path, { name, offset });
    files.push(bare ? { ...file, path } : file);
    offset += Math.ceil(file.lengthBytes / pieceLength) * pieceLength;
  }
  checkPaths(files.map((file) => file.path));
  return files;
}

function collect(
  folder: BencodeDictionary,
  above: readonly string[],
  found: { path: string[]; entry: BencodeDictionary }[],
): void {
  for (const [key, below] of folder) {
    const part = textOf(bytesOfKey(key), "file tree");
    const path = [...above, part];
    checkPath(path, "file tree");
    if (!isDictionary(below) || below.size === 0) {
      throw wrong(path.join("/"), "must be a file or a folder", below);
    }
    const entry = below.get("");
    if (entry === undefined) {
      collect(below, path, found);
      continue;
    }
    if (!isDictionary(entry) || below.size > 1) {
      throw wrong(path.join("/"), "must be either a file or a folder", entry);
    }
    found.push({ path, entry });
    if (found.length > MAX_FILES) {
      throw wrong("file tree", `must have at most ${MAX_FILES} files`, folder);
    }
  }
}

function readFile(
  entry: BencodeDictionary,
  path: readonly string[],
  { name, offset }: { readonly name: string; readonly offset: number },
): LayoutFile {
  const where = path.join("/");
  const attributes = readAttributes(entry, where, name);
  const link = attributes.link !== undefined;
  if (attributes.padding) {
    throw wrong(where, "must be no padding file: v2 needs none", entry);
  }
  const lengthBytes = link && !entry.has("length") ? 0 : requireInteger(
    entry,
    "length",
    { min: 0, max: link ? 0 : Number.MAX_SAFE_INTEGER - offset },
  );
  const root = entry.get("pieces root");
  if (lengthBytes > 0 && (!isBytes(root) || root.length !== ROOT_BYTES)) {
    throw wrong(`${where}.pieces root`, `must have ${ROOT_BYTES} bytes`, root);
  }
  return {
    path: [name, ...path],
    lengthBytes,
    offset,
    ...attributes,
    ...(lengthBytes > 0 ? { piecesRoot: root as Uint8Array } : {}),
  };
}
