/**
 * A local stand-in for `@std/path` 1.x where JSR cannot be reached: the runtime's own path functions, which follow
 * the rules of the system it runs on. Give them strings; only the real package takes file: URLs everywhere.
 */
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const {
  basename,
  dirname,
  extname,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
} = path;

/** What separates the parts of a path: `/`, on Windows `\`. */
export const SEPARATOR = path.sep as "/" | "\\";

/** The path that a file: URL names. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The file: URL of an absolute path. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
