import { dirname, join, relative } from "@std/path";
import { RunError } from "../../core/errors.ts";
import type {
  FileAppender,
  Files,
  FileStat,
  RandomAccessFile,
} from "../files.ts";
import { systemError } from "./errors.ts";
import { tryLock, writeAll, writeAtomic } from "./write_atomic.ts";

/** The real files. */
export const denoFiles: Files = {
  async read(path, { maxBytes }) {
    // Asked of the path: an open file inside a compiled binary does not know its size.
    const { size, isDirectory } = await attempt(
      `read ${path}`,
      () => Deno.stat(path),
    );
    if (isDirectory) {
      throw new RunError("io-failed", `Cannot read ${path}: it is a folder`);
    }
    if (size > maxBytes) {
      throw new RunError(
        "too-large",
        `Cannot read ${path}: must be at most ${maxBytes} bytes, got ${size}`,
      );
    }
    const file = await attempt(`read ${path}`, () => Deno.open(path));
    using _ = file;
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const read = await attempt(
        `read ${path}`,
        () => file.read(bytes.subarray(at)),
      );
      if (read === null) break;
      at += read;
    }
    return bytes.subarray(0, at);
  },
  async writeAtomic(path, ...parts) {
    await attempt(
      `make the folder of ${path}`,
      () => Deno.mkdir(dirname(path), { recursive: true }),
    );
    await attempt(`write ${path}`, () => writeAtomic(path, parts));
  },
  async open(path, { write = false, create = false }) {
    if (create) {
      await attempt(
        `make the folder of ${path}`,
        () => Deno.mkdir(dirname(path), { recursive: true }),
      );
    }
    const file = await attempt(
      `open ${path}`,
      () => Deno.open(path, { read: true, write, create }),
    );
    return randomAccess(path, file);
  },
  async lock(path) {
    const file = await attempt(`lock ${path}`, async () => {
      await Deno.mkdir(dirname(path), { recursive: true });
      return await Deno.open(path, { write: true, create: true });
    });
    try {
      if (await attempt(`lock ${path}`, () => tryLock(file))) {
        return { [Symbol.dispose]: () => file.close() };
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  },
  async appender(path, told) {
    await attempt(
      `make the folder of ${path}`,
      () => Deno.mkdir(dirname(path), { recursive: true }),
    );
    const file = await attempt(
      `open ${path}`,
      () => Deno.open(path, { append: true, create: true }),
    );
    return new DenoAppender(file, { path, told });
  },
  async stat(path) {
    try {
      return statOf(await Deno.stat(path));
    } catch (error) {
      if (
        error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory
      ) return null;
      throw systemError(`look at ${path}`, error);
    }
  },
  realPath: (path) => attempt(`look at ${path}`, () => Deno.realPath(path)),
  async list(path) {
    const entries: { name: string; kind: FileStat["kind"] }[] = [];
    await attempt(`list ${path}`, async () => {
      for await (const entry of Deno.readDir(path)) {
        entries.push({ name: entry.name, kind: kindOf(entry) });
      }
    });
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  },
  includedPath,
  readLink: (path) =>
    attempt(`look at the link ${path}`, () => Deno.readLink(path)),
  async link(path, target) {
    await attempt(`make the link ${path}`, async () => {
      await Deno.mkdir(dirname(path), { recursive: true });
      try {
        await Deno.symlink(relative(dirname(path), target), path);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    });
  },
  makeFolder: (path) =>
    attempt(`make ${path}`, () => Deno.mkdir(path, { recursive: true })),
  makeTemporaryFolder: (prefix) =>
    attempt("make a temporary folder", () => Deno.makeTempDir({ prefix })),
  async remove(path) {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw systemError(`remove ${path}`, error);
      }
    }
  },
};

/** Where a file included in the program (scenarios, page assets) is: beside main.ts, or inside the binary. */
export function includedPath(...parts: readonly string[]): string {
  return join(import.meta.dirname!, "..", "..", "..", ...parts);
}

function randomAccess(path: string, file: Deno.FsFile): RandomAccessFile {
  // One position for the whole file: seek and transfer must not interleave with another call's.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const mine = last.then(() => attempt(`${what} ${path}`, work));
    last = mine.catch(() => {});
    return mine;
  };
  return {
    // As with the position: it asks for numbers that are in memory.
    stat: () => statOf(file.statSync()),
    readAt: (offset, buffer) =>
      inTurn("read", async () => {
        // It only sets a number: to hand it to a thread would cost more than the reading.
        file.seekSync(offset, Deno.SeekMode.Start);
        let at = 0;
        while (at < buffer.length) {
          const read = await file.read(buffer.subarray(at));
          if (read === null) break;
          at += read;
        }
        return at;
      }),
    writeAt: (offset, bytes) =>
      inTurn("write", async () => {
        file.seekSync(offset, Deno.SeekMode.Start);
        await writeAll(file, bytes);
      }),
    truncate: (sizeBytes) => inTurn("resize", () => file.truncate(sizeBytes)),
    sync: () => inTurn("write", () => file.sync()),
    async [Symbol.asyncDispose]() {
      await last;
      try {
        file.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw systemError(what, error);
  }
}

function kindOf(
  entry: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): FileStat["kind"] {
  if (entry.isSymlink) return "link";
  if (entry.isFile) return "file";
  return entry.isDirectory ? "folder" : "other";
}

function statOf(info: Deno.FileInfo): FileStat {
  return {
    kind: kindOf(info),
    sizeBytes: info.size,
    allocatedBytes: info.blocks === null ? null : info.blocks * 512,
    modifiedAtWallMs: info.mtime?.getTime() ?? 0,
  };
}

class DenoAppender implements FileAppender {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #told: (failure: RunError) => void;
  readonly #encoder = new TextEncoder();
  #failure: RunError | undefined;

  constructor(
    file: Deno.FsFile,
    { path, told }: {
      readonly path: string;
      readonly told: (failure: RunError) => void;
    },
  ) {
    this.#file = file;
    this.#path = path;
    this.#told = told;
  }

  get failure(): RunError | undefined {
    return this.#failure;
  }

  // Synchronous, so that the last events before a crash are in the file.
  append(text: string | Uint8Array): void {
    if (this.#failure !== undefined) return;
    const bytes = typeof text === "string" ? this.#encoder.encode(text) : text;
    try {
      for (let at = 0; at < bytes.length;) {
        at += this.#file.writeSync(bytes.subarray(at));
      }
    } catch (error) {
      this.#failure = systemError(`write ${this.#path}`, error) as RunError;
      this.#told(this.#failure);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
