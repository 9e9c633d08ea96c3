import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
export const {
  basename,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
} = path;
export const SEPARATOR: string = path.sep;
export const DELIMITER: string = path.delimiter;
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}
export function toFileUrl(p: string): URL {
  return pathToFileURL(p);
}
