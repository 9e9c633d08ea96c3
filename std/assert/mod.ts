import { inspect, isDeepStrictEqual } from "node:util";
// deno-lint-ignore no-explicit-any
type Class<T> = abstract new (...args: any[]) => T;
export class AssertionError extends Error {
  override name = "AssertionError";
}
const show = (v: unknown) => inspect(v, { depth: 6, breakLength: 100 });
const die = (m: string, msg?: string): never => {
  throw new AssertionError(msg ? `${m.replace(/\.$/, "")}: ${msg}` : m);
};
export function equal(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(a, b);
}
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}
export function assertFalse(expr: unknown, msg = ""): asserts expr is false {
  if (expr) throw new AssertionError(msg);
}
export function assertEquals<T>(actual: T, expected: T, msg?: string) {
  if (!equal(actual, expected)) {
    die(
      `Values are not equal.\n- actual   ${show(actual)}\n+ expected ${
        show(expected)
      }`,
      msg,
    );
  }
}
export function assertNotEquals<T>(actual: T, expected: T, msg?: string) {
  if (equal(actual, expected)) {
    die(`Expected actual: ${show(actual)} not to be: ${show(expected)}.`, msg);
  }
}
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    die(
      `Values are not strictly equal: ${show(actual)} vs ${show(expected)}`,
      msg,
    );
  }
}
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
) {
  if (Object.is(actual, expected)) return;
  const t = tolerance ??
      (isFinite(expected) ? Math.abs(expected * 1e-7) || 1e-7 : 1e-7),
    d = Math.abs(expected - actual);
  if (!(d <= t)) {
    die(
      `Expected actual: "${actual}" to be close to "${expected}": delta "${d}" is greater than "${t}".`,
      msg,
    );
  }
}
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    die(`Expected actual: "${actual}" to not be null or undefined.`, msg);
  }
}
export function assertInstanceOf<T extends Class<unknown>>(
  actual: unknown,
  C: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (!(actual instanceof C)) {
    die(
      `Expected object to be an instance of "${C.name}" but was ${
        show(actual)
      }.`,
      msg,
    );
  }
}
export function assertGreater<T>(a: T, b: T, msg?: string) {
  if (!(a > b)) die(`Expect ${show(a)} > ${show(b)}.`, msg);
}
export function assertGreaterOrEqual<T>(a: T, b: T, msg?: string) {
  if (!(a >= b)) die(`Expect ${show(a)} >= ${show(b)}.`, msg);
}
export function assertLess<T>(a: T, b: T, msg?: string) {
  if (!(a < b)) die(`Expect ${show(a)} < ${show(b)}.`, msg);
}
export function assertLessOrEqual<T>(a: T, b: T, msg?: string) {
  if (!(a <= b)) die(`Expect ${show(a)} <= ${show(b)}.`, msg);
}
export function assertMatch(actual: string, expected: RegExp, msg?: string) {
  if (!expected.test(actual)) {
    die(`Expected actual: "${actual}" to match: "${expected}".`, msg);
  }
}
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
) {
  if (!actual.includes(expected)) {
    die(`Expected actual: "${actual}" to contain: "${expected}".`, msg);
  }
}
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  for (const e of Array.from(expected)) {
    if (!Array.from(actual).some((a) => equal(a, e))) {
      die(`Expected actual: ${show(actual)} to include: ${show(e)}.`, msg);
    }
  }
}
// deno-lint-ignore no-explicit-any
export function assertObjectMatch(
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const m = (a: unknown, e: unknown): boolean =>
    e !== null && typeof e === "object" &&
      Object.getPrototypeOf(e) === Object.prototype
      ? a !== null && typeof a === "object" &&
        Reflect.ownKeys(e).every((k) => m((a as never)[k], (e as never)[k]))
      : Array.isArray(e)
      ? Array.isArray(a) && a.length >= e.length &&
        e.every((x, i) => m(a[i], x))
      : equal(a, e);
  if (!m(actual, expected)) {
    die(
      `Values are not equal.\n- actual   ${show(actual)}\n+ expected (subset) ${
        show(expected)
      }`,
      msg,
    );
  }
}
export function assertIsError<E extends Error = Error>(
  error: unknown,
  C?: Class<E>,
  includes?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    return die(`Expected "error" to be an Error object.`, msg);
  }
  if (C && !(error instanceof C)) {
    die(
      `Expected error to be instance of "${C.name}", but was "${error.constructor?.name}".`,
      msg,
    );
  }
  if (
    includes !== undefined &&
    !(typeof includes === "string"
      ? error.message.includes(includes)
      : includes.test(error.message))
  ) {
    die(
      `Expected error message to include ${JSON.stringify(includes)}, but got ${
        JSON.stringify(error.message)
      }.`,
      msg,
    );
  }
}
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  C: Class<E>,
  includes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  C?: Class<E> | string,
  includes?: string,
  msg?: string,
): unknown {
  try {
    fn();
  } catch (e) {
    if (typeof C === "function") assertIsError(e, C, includes, msg);
    return e;
  }
  return die("Expected function to throw.", typeof C === "string" ? C : msg);
}
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  C: Class<E>,
  includes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  C?: Class<E> | string,
  includes?: string,
  msg?: string,
): Promise<unknown> {
  let p: PromiseLike<unknown>;
  try {
    p = fn();
  } catch {
    return die("Function throws when expected to reject.", msg);
  }
  try {
    await p;
  } catch (e) {
    if (typeof C === "function") assertIsError(e, C, includes, msg);
    return e;
  }
  return die("Expected function to reject.", typeof C === "string" ? C : msg);
}
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${msg ? `: ${msg}` : "."}`);
}
export function unreachable(msg?: string): never {
  throw new AssertionError(`Unreachable${msg ? `: ${msg}` : "."}`);
}
