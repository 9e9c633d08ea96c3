import { join, SEPARATOR } from "@std/path";
import { toHex, utf8 } from "../../../lib/core/bytes.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import { mediaTypeOf } from "../../../lib/http/media_types.ts";
import {
  formatRequestPath,
  parseRequestPath,
  type RequestPath,
} from "../../../lib/http/request_path.ts";
import type { Files, FileStat } from "../../../lib/io/files.ts";
import { sha1 } from "../../../lib/io/hash.ts";
import { FileBuffers } from "./file_buffers.ts";
import { type FolderEntry, folderPage } from "./pages.ts";
import { LiveManifests } from "./live_manifests.ts";
import {
  type Content,
  type Found,
  LIVE_MANIFEST_MS,
  memoryResource,
  type Resource,
  type Site,
} from "./site.ts";

/** Of a folder's names, how many are looked at at a time: each waits for the system, and a folder may have 50,000. */
const LOOKS_AT_ONCE = 32;

/** Of two programs that write a file and read it, one came between what the other does. */
export const FILE_CHANGED = "file-changed";

/** Opens a folder to be served. @throws {InputError} If it is none. @throws {RunError} If it cannot be read. */
export async function openFolderSite(
  root: string,
  files: Files,
): Promise<Site> {
  const stat = await files.stat(root);
  if (stat?.kind === "file") {
    throw new InputError(`--root must be a folder; ${root} is a file`);
  }
  if (stat?.kind !== "folder") {
    throw new InputError(`--root: there is no folder ${root}`);
  }
  // A folder that we may not enter is there too. An executable makes a path that ends with a dot one of the folder itself.
  const inside = join(root, ".may-we-enter");
  await files.stat(inside).catch((cause) => {
    if (!(cause instanceof RunError)) throw cause;
    const message = cause.message.replace(`at ${inside}`, () => `into ${root}`);
    throw new RunError(cause.code, message, { cause });
  });
  return new FolderSite(await files.realPath(root), files);
}

/**
 * The files of a folder. Names that begin with a dot are not seen, and links that lead out of the folder are not
 * followed: what is opened is always the resolved path, which lies below the resolved root.
 */
class FolderSite implements Site {
  readonly #root: string;
  readonly #files: Files;
  readonly #buffers = new FileBuffers();
  readonly #live = new LiveManifests();

  constructor(root: string, files: Files) {
    this.#root = root;
    this.#files = files;
  }

  /** See {@linkcode Site.find}. */
  async find(path: RequestPath): Promise<Found | null> {
    if (path.names.some(isHidden)) return null;
    const real = await this.#resolve(join(this.#root, ...path.names));
    if (real === null) return null;
    const stat = await this.#files.stat(real);
    if (stat?.kind === "file" && !path.folder) {
      return found(await this.#dated(real, this.#fileResource(real, stat)));
    }
    if (stat?.kind !== "folder") return null;
    if (!path.folder) return { kind: "folder" };
    const index = await this.#resolve(join(real, "index.html"));
    const indexStat = index === null ? null : await this.#files.stat(index);
    return found(
      index !== null && indexStat?.kind === "file"
        ? this.#fileResource(index, indexStat)
        : await this.#listing(real, path),
    );
  }

  /** The path without links; null when there is nothing, or when it is outside the root. */
  async #resolve(path: string): Promise<string | null> {
    try {
      const real = await this.#files.realPath(path);
      const below = this.#root.endsWith(SEPARATOR)
        ? this.#root
        : this.#root + SEPARATOR;
      return real === this.#root || real.startsWith(below) ? real : null;
    } catch (error) {
      if (error instanceof RunError) return null;
      throw error;
    }
  }

  /** A live manifest of some other program must not be kept as what stays is. */
  async #dated(path: string, resource: Resource): Promise<Resource> {
    return await this.#live.has(path, resource)
      ? { ...resource, maxAgeMs: LIVE_MANIFEST_MS }
      : resource;
  }

  #fileResource(path: string, stat: FileStat): Resource {
    const { sizeBytes, modifiedAtWallMs } = stat;
    const opaque = `${Math.floor(modifiedAtWallMs).toString(36)}-${
      sizeBytes.toString(36)
    }`;
    return {
      mediaType: mediaTypeOf(path),
      sizeBytes,
      entityTag: { weak: false, opaque },
      modifiedAtWallMs,
      open: () => openFile(path, stat, this.#files, this.#buffers),
    };
  }

  /** What the page of a folder says of a name in it; undefined where there is nothing to be seen. */
  async #entry(folder: string, name: string): Promise<FolderEntry | undefined> {
    const real = await this.#resolve(join(folder, name));
    const stat = real === null ? null : await this.#files.stat(real);
    return stat?.kind === "file" || stat?.kind === "folder"
      ? { name, kind: stat.kind, sizeBytes: stat.sizeBytes }
      : undefined;
  }

  async #listing(folder: string, path: RequestPath): Promise<Resource> {
    const names = (await this.#files.list(folder))
      .map(({ name }) => name)
      .filter((name) => !isHidden(name) && hasPath(name));
    const entries: FolderEntry[] = [];
    for (let at = 0; at < names.length; at += LOOKS_AT_ONCE) {
      const some = names.slice(at, at + LOOKS_AT_ONCE);
      const seen = await Promise.all(
        some.map((name) => this.#entry(folder, name)),
      );
      entries.push(...seen.filter((entry) => entry !== undefined));
    }
    const page = utf8(folderPage(path, entries));
    return memoryResource(page, {
      mediaType: mediaTypeOf("index.html"),
      entityTag: { weak: false, opaque: toHex(sha1(page).subarray(0, 10)) },
      modifiedAtWallMs: undefined,
    });
  }
}

function found(resource: Resource): Found {
  return { kind: "resource", resource };
}

/** Whether a link to the name leads to it: one with a backslash in it is no path, for other systems would climb by it. */
function hasPath(name: string): boolean {
  const path = formatRequestPath({ names: [name], folder: false });
  return parseRequestPath(path) !== null;
}

/** Hidden files, and on Windows names with a colon: drives and alternate streams. */
function isHidden(name: string): boolean {
  return name.startsWith(".") || (SEPARATOR === "\\" && name.includes(":"));
}

/** Opens what was found; another file in its place has another length and another tag than what was planned with. */
async function openFile(
  path: string,
  found: FileStat,
  files: Files,
  buffers: FileBuffers,
): Promise<Content> {
  const file = await files.open(path, {});
  const { sizeBytes, modifiedAtWallMs } = file.stat();
  if (
    sizeBytes !== found.sizeBytes ||
    modifiedAtWallMs !== found.modifiedAtWallMs
  ) {
    await file[Symbol.asyncDispose]();
    throw new RunError(
      FILE_CHANGED,
      `Cannot send ${path}: it is written anew at this moment`,
    );
  }
  let buffer: Uint8Array | undefined;
  return {
    async read(offset, length) {
      if (buffer === undefined || buffer.length < length) {
        buffer = buffers.take(length);
      }
      const bytes = buffer.subarray(0, length);
      const got = await file.readAt(offset, bytes);
      if (got < length) {
        throw new RunError(
          "io-failed",
          `Cannot send ${path}: it became shorter meanwhile`,
        );
      }
      return bytes;
    },
    used() {
      if (buffer !== undefined) buffers.give(buffer);
      buffer = undefined;
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
