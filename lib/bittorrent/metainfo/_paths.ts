import { utf8 } from "../../core/bytes.ts";

/** Longest name of one file or folder: what ext4, APFS and NTFS allow. */
const MAX_COMPONENT_BYTES = 255;
/** Longest path below the download folder: Linux allows 4096 with the folder in front. */
const MAX_PATH_BYTES = 2048;
/** Deepest nesting of folders. */
const MAX_COMPONENTS = 64;
/** Names Windows keeps for devices, whatever follows a dot: opening `nul.txt` opens nothing that can be written. */
const DEVICE =
  /^(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$)\s*(\..*)?$/i;

/**
 * Checks that a torrent's path stays below the download folder and can be written, on every system: a class has all of them.
 *
 * @throws {SyntaxError} That names the rule broken.
 */
export function checkPath(path: readonly string[], where: string): void {
  if (path.length === 0) throw refused(where, "must not be empty", path);
  if (path.length > MAX_COMPONENTS) {
    throw refused(where, `must have at most ${MAX_COMPONENTS} parts`, path);
  }
  for (const part of path) {
    const rule = ruleBrokenBy(part);
    if (rule !== null) throw refused(where, rule, path);
  }
  if (utf8(path.join("/")).length > MAX_PATH_BYTES) {
    throw refused(where, `must be at most ${MAX_PATH_BYTES} bytes`, path);
  }
}

/**
 * Checks that no two files would be written to one place, and that no file stands where a folder must be.
 *
 * Windows and macOS take `A` and `a` for one name, and macOS the two ways to write `é`, so both count as one place.
 *
 * @throws {SyntaxError} That names the path.
 */
export function checkPaths(paths: readonly (readonly string[])[]): void {
  const files = new Map<string, string>();
  for (const path of paths) {
    const whole = path.join("/");
    const other = files.get(placeOf(whole));
    if (other !== undefined) {
      throw new SyntaxError(
        other === whole
          ? `Cannot read torrent: two files have the path ${quoted(whole)}`
          : `Cannot read torrent: ${quoted(other)} and ${
            quoted(whole)
          } are one place where names ignore case`,
      );
    }
    files.set(placeOf(whole), whole);
  }
  const folders = new Set<string>();
  for (const path of paths) {
    for (let length = path.length - 1; length > 0; length--) {
      const folder = placeOf(path.slice(0, length).join("/"));
      if (folders.has(folder)) break;
      const file = files.get(folder);
      if (file !== undefined) {
        throw new SyntaxError(
          `Cannot read torrent: ${quoted(file)} is both a file and a folder`,
        );
      }
      folders.add(folder);
    }
  }
}

function placeOf(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function ruleBrokenBy(part: string): string | null {
  if (part === "") return "must have no empty part";
  // Windows drops dots and spaces at the end of a name, so ".. " climbs as ".." does.
  if (/^[. ]+$/.test(part)) return "must not climb out of its folder";
  if (/[. ]$/.test(part)) {
    return "must have no part that ends in a dot or a space";
  }
  if (/[/\\]/.test(part)) return "must have no separator inside a part";
  if (/^[A-Za-z]:/.test(part)) return "must not name a drive";
  if (DEVICE.test(part)) return "must not name a device of Windows";
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(part)) {
    return "must have no control characters";
  }
  return utf8(part).length > MAX_COMPONENT_BYTES
    ? `must have parts of at most ${MAX_COMPONENT_BYTES} bytes`
    : null;
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 120));
}

function refused(
  where: string,
  rule: string,
  path: readonly string[],
): SyntaxError {
  return new SyntaxError(
    `Cannot read torrent: "${where}" ${rule}, got ${
      quoted(path.slice(0, 8).join("/"))
    }`,
  );
}
