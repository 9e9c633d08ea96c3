/**
 * Whether two values are equal in depth: same constructor, same own enumerable properties, equal values.
 * 0 equals -0 and NaN equals NaN, as in the real package. Functions are equal only to themselves.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

/** `seen` maps objects on the path down `a` to their partners in `b`, so that cycles end. */
function compare(
  a: unknown,
  b: unknown,
  seen: Map<unknown, unknown>,
): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (a === null || b === null) return false;
  if (constructorOf(a) !== constructorOf(b)) return false;
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  const left = bytesOf(a);
  if (left !== undefined) return sameElements(left, bytesOf(b)!);
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Set || a instanceof Map) {
    return sameCollection(a, b as typeof a, seen);
  }
  if (a instanceof Error && a.message !== (b as Error).message) return false;
  return sameProperties(a, b, seen);
}

/** A missing prototype counts as Object's. */
function constructorOf(value: object): unknown {
  return Object.getPrototypeOf(value) === null ? Object : value.constructor;
}

type Elements = ArrayLike<number | bigint>;

function bytesOf(value: object): Elements | undefined {
  if (value instanceof DataView) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (ArrayBuffer.isView(value)) return value as unknown as Elements;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function sameElements(a: Elements, b: Elements): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) {
    if (a[at] !== b[at] && !Object.is(a[at], b[at])) return false;
  }
  return true;
}

/** Order does not count: every entry needs an equal one on the other side. */
function sameCollection(
  a: Iterable<unknown> & { readonly size: number },
  b: Iterable<unknown> & { readonly size: number },
  seen: Map<unknown, unknown>,
): boolean {
  if (a.size !== b.size) return false;
  const left = [...b];
  return [...a].every((entry) => {
    const at = left.findIndex((other) => compare(entry, other, new Map(seen)));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function sameProperties(
  a: object,
  b: object,
  seen: Map<unknown, unknown>,
): boolean {
  const keys = enumerableKeys(a);
  return keys.length === enumerableKeys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) &&
      compare(Reflect.get(a, key), Reflect.get(b, key), seen)
    );
}

function enumerableKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}
