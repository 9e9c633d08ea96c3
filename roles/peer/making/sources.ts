import { dirname, join, relative, resolve } from "@std/path";
import { InputError } from "../../../lib/core/errors.ts";
import { comparePaths } from "../../../lib/bittorrent/metainfo/make_metainfo.ts";
import type { HashedSource } from "../../../lib/bittorrent/metainfo/source_hasher.ts";
import type { Files } from "../../../lib/io/files.ts";

/** `--links`: what becomes of symbolic links below the folder. */
export type LinkRule = "skip" | "follow" | "keep";

/** Deepest folders that are looked into: deeper ones no reader takes. */
const MAX_DEPTH = 60;

/** A file that goes into a torrent. */
export interface Source extends HashedSource {
  /** Where it is on the disk. */
  readonly at: string;
}

interface Walk {
  readonly root: string;
  readonly files: Files;
  readonly hidden: boolean;
  readonly links: LinkRule;
  /** What is being made is no part of itself. */
  readonly except: string;
  readonly found: Source[];
}

/**
 * Finds what is to go in: the file, or every file below the folder, in an order that is the same on every system. What is
 * hidden (a name with a dot in front) is left out unless `hidden`; links by `links`.
 *
 * @param options.except The torrent's own path: left out, or it would differ when it is made again.
 * @throws {InputError} If there is nothing, a link that is to be kept leads out of the folder, or what is listed there cannot be found by its name.
 */
export async function sourcesOf(
  root: string,
  { hidden, links, except }: Pick<Walk, "hidden" | "links" | "except">,
  files: Files,
): Promise<Source[]> {
  const stat = await files.stat(root);
  if (stat === null) {
    throw new InputError(`Cannot make a torrent of ${root}: nothing is there`);
  }
  if (stat.kind === "file") {
    return [{ path: [], at: root, lengthBytes: stat.sizeBytes }];
  }
  if (stat.kind !== "folder") {
    throw new InputError(
      `Cannot make a torrent of ${root}: it is neither a file nor a folder`,
    );
  }
  const found: Source[] = [];
  await walk([], { root, files, hidden, links, except, found });
  if (found.length === 0) {
    throw new InputError(
      `Cannot make a torrent of ${root}: there is no file in it`,
    );
  }
  return found.sort((a, b) => comparePaths(a.path, b.path));
}

async function walk(path: readonly string[], options: Walk): Promise<void> {
  const { root, files, hidden, links, found } = options;
  if (path.length > MAX_DEPTH) {
    throw new InputError(
      `Cannot make a torrent of ${root}: folders must be at most ${MAX_DEPTH} deep`,
    );
  }
  for (const entry of await files.list(join(root, ...path))) {
    if (entry.name.startsWith(".") && !hidden) continue;
    const below = [...path, entry.name];
    const at = join(root, ...below);
    if (at === options.except) continue;
    if (entry.kind === "link" && links !== "follow") {
      if (links === "keep") found.push(await linkAt(at, below, options));
      continue;
    }
    const stat = await files.stat(at);
    if (stat === null) {
      throw new InputError(
        `Cannot make a torrent of ${root}: ${at} ${
          entry.kind === "link"
            ? "leads nowhere; --links skip leaves links out"
            : "is gone, or its name is not UTF-8"
        }`,
      );
    }
    if (stat.kind === "folder") {
      if (entry.kind === "link") await checkCircle(at, root, files);
      await walk(below, options);
    }
    if (stat.kind !== "file") continue;
    found.push({ path: below, at, lengthBytes: stat.sizeBytes });
  }
}

/** A link to a folder it lies in itself has no end. @throws {InputError} */
async function checkCircle(
  at: string,
  root: string,
  files: Files,
): Promise<void> {
  const here = await files.realPath(dirname(at));
  const there = await files.realPath(at);
  const inside = relative(there, here);
  if (inside === "" || !inside.startsWith("..")) {
    throw new InputError(
      `Cannot make a torrent of ${root}: the link ${at} makes a circle`,
    );
  }
}

/** A link as BEP 47 has it: its target is named from the torrent's folder on. */
async function linkAt(
  at: string,
  path: readonly string[],
  { root, files }: Walk,
): Promise<Source> {
  const target = resolve(dirname(at), await files.readLink(at));
  const link = relative(root, target).split(/[/\\]/);
  if (link[0] === ".." || link[0] === "" || target === root) {
    throw new InputError(
      `Cannot keep the link ${at}: it leads out of the folder; --links follow puts in what it points to`,
    );
  }
  return { path, at, lengthBytes: 0, link };
}
