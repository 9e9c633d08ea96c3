// deno-lint-ignore-file no-explicit-any
import { AssertionError, equal } from "jsr:@std/assert@^1";
export interface SpyCall {
  args: any[];
  returned?: any;
  error?: Error;
  self?: any;
}
export interface Spy<A extends any[] = any[], R = any> {
  (...args: A): R;
  calls: SpyCall[];
  restored: boolean;
  restore(): void;
  [Symbol.dispose](): void;
}
function make(f: (...a: any[]) => any, undo: () => void): Spy {
  const s = function (this: any, ...args: any[]) {
    const c: SpyCall = { args, self: this };
    s.calls.push(c);
    try {
      return c.returned = f.apply(this, args);
    } catch (e) {
      c.error = e as Error;
      throw e;
    }
  } as Spy;
  s.calls = [];
  s.restored = false;
  s.restore = () => {
    undo();
    s.restored = true;
  };
  s[Symbol.dispose] = () => {
    if (!s.restored) s.restore();
  };
  return s;
}
export function spy<A extends any[] = any[], R = undefined>(
  fn?: (...a: A) => R,
): Spy<A, R>;
export function spy<T extends object, K extends keyof T>(o: T, k: K): Spy;
export function spy(o: any = () => {}, k?: any): any {
  if (k === undefined) return make(o, () => {});
  const orig = o[k];
  const s = make(orig, () => {
    o[k] = orig;
  });
  o[k] = s;
  return s;
}
export function stub<T extends object, K extends keyof T>(
  o: T,
  k: K,
  f: (...a: any[]) => any = () => {},
): Spy {
  const orig = o[k];
  const s = make(f, () => {
    o[k] = orig;
  });
  (o as any)[k] = s;
  return s;
}
export function assertSpyCalls(s: { calls: unknown[] }, n: number): void {
  if (s.calls.length !== n) {
    throw new AssertionError(
      `Spy ${
        s.calls.length < n
          ? "not called as much as expected"
          : "called more than expected"
      }: ${s.calls.length} != ${n}`,
    );
  }
}
export function assertSpyCall(
  s: { calls: SpyCall[] },
  i: number,
  e?: Partial<SpyCall>,
): void {
  const c = s.calls[i];
  if (!c) throw new AssertionError("Spy not called as much as expected");
  for (const k of ["args", "returned", "self"] as const) {
    if (e && k in e && !equal(c[k], e[k])) {
      throw new AssertionError(`Spy called with unexpected ${k}`);
    }
  }
}
