import { concat } from "../../lib/core/bytes.ts";
import { RunError } from "../../lib/core/errors.ts";
import type { Files, FileStat } from "../../lib/io/files.ts";

/** As much of {@linkcode Files} as a cache's folder needs, in memory. `held`, if it is set, holds every write up. */
export class MemoryFiles implements
  Pick<
    Files,
    "list" | "lock" | "makeFolder" | "open" | "remove" | "stat" | "writeAtomic"
  > {
  readonly contents = new Map<string, Uint8Array>();
  held: Promise<void> = Promise.resolve();

  async writeAtomic(
    path: string,
    ...parts: readonly Uint8Array[]
  ): Promise<void> {
    await this.held;
    this.contents.set(path, concat(...parts));
  }

  open(path: string): ReturnType<Files["open"]> {
    const bytes = this.contents.get(path);
    if (bytes === undefined) {
      return Promise.reject(new RunError("not-found", `No ${path}`));
    }
    return Promise.resolve({
      stat: () => fileStat(bytes.length),
      readAt(offset, buffer) {
        const there = bytes.subarray(offset, offset + buffer.length);
        buffer.set(there);
        return Promise.resolve(there.length);
      },
      writeAt: () => Promise.reject(new RunError("io-failed", "Read only")),
      truncate: () => Promise.reject(new RunError("io-failed", "Read only")),
      sync: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  remove(path: string): Promise<void> {
    this.contents.delete(path);
    return Promise.resolve();
  }

  makeFolder(): Promise<void> {
    return Promise.resolve();
  }

  lock(): ReturnType<Files["lock"]> {
    return Promise.resolve({ [Symbol.dispose]() {} });
  }

  stat(path: string): ReturnType<Files["stat"]> {
    const sizeBytes = this.contents.get(path)?.length;
    return Promise.resolve(
      sizeBytes === undefined ? null : fileStat(sizeBytes),
    );
  }

  list(path: string): ReturnType<Files["list"]> {
    const names = new Map<string, "file" | "folder">();
    for (const name of this.contents.keys()) {
      if (!name.startsWith(`${path}/`)) continue;
      const [first, rest] = name.slice(path.length + 1).split("/");
      names.set(first!, rest === undefined ? "file" : "folder");
    }
    return Promise.resolve(
      [...names].map(([name, kind]) => ({ name, kind })),
    );
  }
}

function fileStat(sizeBytes: number): FileStat {
  return { kind: "file", sizeBytes, allocatedBytes: null, modifiedAtWallMs: 0 };
}
