import { reject, show } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Asserts that every property of `expected`, in depth, is in `actual` too; `actual` may have more. Arrays match by index. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (includes(actual, expected)) return;
  reject(`Expected ${show(actual)} to have all of ${show(expected)}`, msg);
}

function includes(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length >= expected.length &&
      expected.every((element, at) => includes(actual[at], element));
  }
  if (!isPlainObject(expected)) return equal(actual, expected);
  return typeof actual === "object" && actual !== null &&
    Reflect.ownKeys(expected).every((key) =>
      Object.hasOwn(actual, key) &&
      includes((actual as Record<PropertyKey, unknown>)[key], expected[key])
    );
}

function isPlainObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}
