/**
 * A local stand-in for `@std/cli` 1.x where JSR cannot be reached: `parseArgs` with the real one's reading of a
 * command line, for the options this project gives it.
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
