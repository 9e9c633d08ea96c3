import { dirname, join } from "@std/path";
import { toHex } from "../../core/bytes.ts";

// A file is written under another name beside its own, and takes the old one's place when it is whole. A program that is
// killed meanwhile leaves that other file behind, so the next one that writes in the folder looks for such. Whether it may
// go is no matter of process numbers, which say nothing of another machine: a writer holds a lock on what it writes, and
// the system takes the lock away when the program ends, however it ends.

/** What the names of unfinished files end with; nobody else's do. */
const UNFINISHED_REGEXP = /.\.[0-9a-f]{16}\.rolecall\.tmp$/;
/** Younger ones are left for a later look: their writer may be about to lock them. */
const YOUNG_MS = 10_000;
/** Most folders whose look is remembered; with more all are looked through again. */
const MAX_FOLDERS = 4096;
/** How long a lock is waited for where one cannot ask whether it is free. */
const LOCK_MS = 2000;

/** When a folder is to be looked through again; `Infinity` when nothing unfinished is left there. */
const nextLookAtMs = new Map<string, number>();

/** Makes `parts` the file at `path`, whose folder is there: it is the old one or the new one, whatever happens. */
export async function writeAtomic(
  path: string,
  parts: readonly Uint8Array[],
): Promise<void> {
  await removeUnfinished(dirname(path));
  // Another writer of the same path, here or elsewhere, has a file of its own.
  const lot = toHex(crypto.getRandomValues(new Uint8Array(8)));
  const unfinished = `${path}.${lot}.rolecall.tmp`;
  // Windows renames no open file; elsewhere the lock is held until there is nothing to remove.
  const isRenamedOpen = Deno.build.os !== "windows";
  try {
    {
      using file = await Deno.open(unfinished, {
        ...{ write: true, createNew: true },
      });
      lockOwn(file);
      for (const part of parts) await writeAll(file, part);
      await file.syncData();
      if (isRenamedOpen) await Deno.rename(unfinished, path);
    }
    if (!isRenamedOpen) await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
}

/** Locks a file that is new: nobody holds it. Where files cannot be locked, nobody removes what is unfinished either. */
function lockOwn(file: Deno.FsFile): void {
  try {
    file.lockSync(true);
  } catch { /* as said */ }
}

/** Removes from `folder` what writers that do not live any more have left there. It is no one's failure if that cannot be done. */
async function removeUnfinished(folder: string): Promise<void> {
  const nowMs = Date.now();
  if (nowMs < (nextLookAtMs.get(folder) ?? 0)) return;
  if (nextLookAtMs.size >= MAX_FOLDERS) nextLookAtMs.clear();
  nextLookAtMs.set(folder, Infinity);
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (!isFile || !UNFINISHED_REGEXP.test(name)) continue;
      if (!await removeIfLeft(join(folder, name), nowMs)) {
        nextLookAtMs.set(folder, nowMs + YOUNG_MS);
      }
    }
  } catch { /* The folder may be written, but not listed. */ }
}

/** Whether the unfinished file at `path` is gone now. */
async function removeIfLeft(path: string, nowMs: number): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(path);
    if (Math.abs(nowMs - (mtime?.getTime() ?? nowMs)) < YOUNG_MS) return false;
    using file = await Deno.open(path, { write: true });
    if (!await tryLock(file)) return false;
    await Deno.remove(path);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Deno 2.4 has no `tryLock`: there an attempt goes on in vain until the program ends. */
export async function tryLock(
  file: Deno.FsFile & { tryLock?: (exclusive: boolean) => Promise<boolean> },
): Promise<boolean> {
  if (file.tryLock !== undefined) return await file.tryLock(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), LOCK_MS);
  });
  const locked = file.lock(true).then(() => true);
  locked.catch(() => {});
  return await Promise.race([locked, late])
    .finally(() => clearTimeout(timer));
}

/** Writes all of `bytes` at the file's position. */
export async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += await file.write(bytes.subarray(at));
}
