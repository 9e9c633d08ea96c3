import { reject, show } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Asserts that two values are equal in depth. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  reject(
    `Values are not equal\n  got      ${show(actual)}\n  expected ${
      show(expected)
    }`,
    msg,
  );
}

/** Asserts that two values differ somewhere. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) {
    reject(`Expected anything but ${show(expected)}`, msg);
  }
}

/** Asserts that two values are the same one (`Object.is`). */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    reject(`Not the same: got ${show(actual)}, not ${show(expected)}`, msg);
  }
}

/** Asserts that two numbers are at most `tolerance` apart; without one, a ten-millionth of `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const share = Math.abs(expected) * 1e-7;
  const allowed = tolerance ??
    (Number.isFinite(share) && share > 0 ? share : 1e-7);
  if (!(Math.abs(expected - actual) <= allowed)) {
    reject(`Expected ${expected} ± ${allowed}, got ${actual}`, msg);
  }
}

/** Asserts that every element of `expected` equals one of `actual`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const missing = Array.from(expected).filter((wanted) =>
    !Array.from(actual).some((element) => equal(element, wanted))
  );
  if (missing.length > 0) {
    reject(`Expected ${show(actual)} to include ${show(missing)}`, msg);
  }
}
