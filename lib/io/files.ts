import type { RunError } from "../core/errors.ts";

/** The files a role may touch. `deno/files.ts` is the real one. Errors are {@linkcode RunError}s with what was attempted: `not-found`, `permission-denied`, `disk-full`, `io-failed`. */
export interface Files {
  /** Reads a whole file of at most `maxBytes`. @throws {RunError} also `too-large`. */
  read(
    path: string,
    options: { readonly maxBytes: number },
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Writes a file of these parts so that a crash leaves the old one or the new one, never a piece: temporary file, sync, rename. Makes parent folders. */
  writeAtomic(path: string, ...parts: readonly Uint8Array[]): Promise<void>;
  /** Opens for random access. `create` makes the file (and its folders) when missing. */
  open(
    path: string,
    options: { readonly write?: boolean; readonly create?: boolean },
  ): Promise<RandomAccessFile>;
  /** Makes a file and locks it until that is disposed of or the program ends, however it ends; undefined when another program holds it. */
  lock(path: string): Promise<Disposable | undefined>;
  /** Appends text to a file, making it when missing; `told` hears, once, that nothing is appended any more, and why. */
  appender(
    path: string,
    told: (failure: RunError) => void,
  ): Promise<FileAppender>;
  /** What is at `path`, following symbolic links; null when nothing is. */
  stat(path: string): Promise<FileStat | null>;
  /** The path with every symbolic link resolved. */
  realPath(path: string): Promise<string>;
  /** Names in a folder, sorted. Links are reported as links, not followed. */
  list(path: string): Promise<
    readonly { readonly name: string; readonly kind: FileStat["kind"] }[]
  >;
  /** Where a file included in the program (a scenario, a page's script) is: beside main.ts, or inside the binary. */
  includedPath(...parts: readonly string[]): string;
  /** Where the symbolic link at `path` points, as it is written there. */
  readLink(path: string): Promise<string>;
  /** Makes a symbolic link at `path` (and its folders) to `target`, written relative to it. What is there already stays. */
  link(path: string, target: string): Promise<void>;
  /** Makes a folder and its parents. */
  makeFolder(path: string): Promise<void>;
  /** Makes a new empty folder in the system's temporary folder. */
  makeTemporaryFolder(prefix: string): Promise<string>;
  /** Removes a file or a folder with all in it; nothing there is fine. */
  remove(path: string): Promise<void>;
}

/** See {@linkcode Files.stat}. */
export interface FileStat {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly sizeBytes: number;
  /** What it takes on the disk, less than its size if it has holes; null where the system does not say. */
  readonly allocatedBytes: number | null;
  readonly modifiedAtWallMs: number;
}

/** An open file. */
export interface RandomAccessFile extends AsyncDisposable {
  /** What this file is now, whatever stands at its path meanwhile. */
  stat(): FileStat;
  /** Fills `buffer` from `offset`; returns how many bytes there were (fewer only at the end of the file). */
  readAt(offset: number, buffer: Uint8Array): Promise<number>;
  /** Writes all of `bytes` at `offset`. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Sets the size; a longer file reads as zeros. */
  truncate(sizeBytes: number): Promise<void>;
  /** Waits until what was written is on the disk. */
  sync(): Promise<void>;
}

/** See {@linkcode Files.appender}. */
export interface FileAppender extends Disposable {
  /** Never throws: the first text that cannot be written is told, and it and what follows is left out. Text may come encoded, in memory that is free again afterwards. */
  append(text: string | Uint8Array): void;
  /** Why texts are missing. */
  readonly failure: RunError | undefined;
}
