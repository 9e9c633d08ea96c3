import { parseByteRate } from "../../../lib/core/units.ts";
import type { Reader } from "./reader.ts";

/** An edge between viewers and origins: a crowd, a small cache, origins that go. */
export interface EdgeAct {
  readonly act: "edge";
  /** How many ask for the same at once. */
  readonly clients: number;
  /** What the origin may send. */
  readonly serverBytesPerSecond: number;
  /** Of the small cache: requests, Zipf's exponent, and which part of the catalogue it has room for. */
  readonly requests: number;
  readonly zipf: number;
  readonly cachePart: number;
}

/** Most clients of an edge: each is a connection. */
export const MAX_CROWD = 200;

/** Reads the act. @throws {SyntaxError} See `Reader`. */
export function readEdge(act: Reader): EdgeAct {
  return {
    act: "edge",
    clients: act.count("clients", 2, MAX_CROWD),
    serverBytesPerSecond: act.unit("serverUpload", parseByteRate, { above: 0 }),
    requests: act.count("requests", 100, 100_000),
    zipf: act.number("zipf", 0, 3),
    cachePart: act.number("cachePart", 0.01, 1),
  };
}
