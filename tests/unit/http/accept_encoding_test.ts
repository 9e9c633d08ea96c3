import { assertEquals } from "@std/assert";
import { acceptsEncoding } from "../../../lib/http/accept_encoding.ts";

const CASES: readonly (readonly [string | null, boolean])[] = [
  [null, false],
  ["", false],
  ["gzip", true],
  ["GZip", true],
  ["x-gzip", true],
  ["deflate, gzip;q=0.5, br", true],
  ["gzip;q=0", false],
  ["gzip; q=0.000", false],
  ["gzip;q=0.001", true],
  ["*", true],
  ["*;q=0", false],
  ["identity, *;q=0", false],
  ["*, gzip;q=0", false],
  ["gzip;q=0, *", false],
  ["br, deflate", false],
];

for (const [value, wanted] of CASES) {
  Deno.test(`acceptsEncoding is ${wanted} for gzip when Accept-Encoding is ${value}`, () => {
    assertEquals(acceptsEncoding(value, "gzip"), wanted);
  });
}
