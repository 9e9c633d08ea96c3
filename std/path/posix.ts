/** The functions of `@std/path/posix`: paths with `/` on every system, such as those of URLs and torrents. */
import { posix } from "node:path";

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
} = posix;
