/**
 * A local stand-in for `@std/assert` 1.x where JSR cannot be reached: what this project uses of it, with the
 * same names, types and verdicts. Messages are its own, so tests match on verdicts and codes only.
 */
export { AssertionError } from "./assertion_error.ts";
export {
  assert,
  assertExists,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  fail,
} from "./basic.ts";
export {
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "./equality.ts";
export { assertObjectMatch } from "./object_match.ts";
export {
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "./order.ts";
export { assertIsError, assertRejects, assertThrows } from "./throws.ts";
