import * as std from "@std/assert";

/** Every assertion that must hold, and its opposite that must not. Plain `if`s judge, so that nothing judges itself. */
const CASES: readonly {
  readonly name: string;
  readonly holds: readonly (() => unknown)[];
  readonly fails: readonly (() => unknown)[];
}[] = [
  {
    name: "assert",
    holds: [() => std.assert(1), () => std.assert("x")],
    fails: [() => std.assert(0), () => std.assert(null, "why")],
  },
  {
    name: "assertFalse",
    holds: [() => std.assertFalse(0)],
    fails: [() => std.assertFalse(1)],
  },
  {
    name: "assertEquals",
    holds: [
      () => std.assertEquals({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }),
      () => std.assertEquals(NaN, NaN),
      () => std.assertEquals(0, -0),
      () =>
        std.assertEquals(
          new Uint8Array([1, 2]),
          new Uint8Array([0, 1, 2]).subarray(1),
        ),
      () =>
        std.assertEquals(new Map([[{ a: 1 }, 2]]), new Map([[{ a: 1 }, 2]])),
      () => std.assertEquals(new Set([1, 2]), new Set([2, 1])),
      () => std.assertEquals(new Date(5), new Date(5)),
      () => std.assertEquals(/a/g, /a/g),
      () => std.assertEquals(cycle(), cycle()),
    ],
    fails: [
      () => std.assertEquals<unknown>({ a: 1 }, { a: 1, b: undefined }),
      () => std.assertEquals<unknown>([1], { 0: 1 }),
      () => std.assertEquals<unknown>("1", 1),
      () => std.assertEquals<unknown>(1n, 1),
      () => std.assertEquals(new Uint8Array([1]), new Uint8Array([2])),
      () => std.assertEquals<unknown>(new Uint8Array(1), new Uint16Array(1)),
      () => std.assertEquals(new Map([[1, 2]]), new Map([[1, 3]])),
      () => std.assertEquals(new Set([1, 2]), new Set([1, 3])),
      () => std.assertEquals(new Date(5), new Date(6)),
      () => std.assertEquals(/a/g, /a/i),
      () => std.assertEquals(new Error("a"), new Error("b")),
      () => std.assertEquals<unknown>(null, undefined),
      () => std.assertEquals<unknown>(new Foo(), {}),
    ],
  },
  {
    name: "assertNotEquals",
    holds: [() => std.assertNotEquals([1], [2])],
    fails: [() => std.assertNotEquals([1], [1])],
  },
  {
    name: "assertStrictEquals",
    holds: [() => std.assertStrictEquals(NaN, NaN)],
    fails: [
      () => std.assertStrictEquals([], []),
      () => std.assertStrictEquals(0, -0),
    ],
  },
  {
    name: "assertAlmostEquals",
    holds: [
      () => std.assertAlmostEquals(0.1 + 0.2, 0.3),
      () => std.assertAlmostEquals(10, 11, 1),
      () => std.assertAlmostEquals(Infinity, Infinity),
    ],
    fails: [
      () => std.assertAlmostEquals(0.3001, 0.3),
      () => std.assertAlmostEquals(NaN, 1, 5),
      () => std.assertAlmostEquals(10, 12, 1),
    ],
  },
  {
    name: "assertExists",
    holds: [() => std.assertExists(0), () => std.assertExists("")],
    fails: [() => std.assertExists(null), () => std.assertExists(undefined)],
  },
  {
    name: "assertInstanceOf",
    holds: [() => std.assertInstanceOf(new TypeError(), Error)],
    fails: [() => std.assertInstanceOf(new Error(), TypeError)],
  },
  {
    name: "assertGreater and its kin",
    holds: [
      () => std.assertGreater(2, 1),
      () => std.assertGreaterOrEqual(2, 2),
      () => std.assertLess(1, 2),
      () => std.assertLessOrEqual(2, 2),
    ],
    fails: [
      () => std.assertGreater(2, 2),
      () => std.assertGreaterOrEqual(1, 2),
      () => std.assertLess(2, 2),
      () => std.assertLessOrEqual(3, 2),
      () => std.assertLess(NaN, 1),
    ],
  },
  {
    name: "assertMatch and assertStringIncludes",
    holds: [
      () => std.assertMatch("abc", /b/),
      () => std.assertStringIncludes("abc", "bc"),
    ],
    fails: [
      () => std.assertMatch("abc", /d/),
      () => std.assertStringIncludes("abc", "cb"),
    ],
  },
  {
    name: "assertArrayIncludes",
    holds: [() => std.assertArrayIncludes([1, { a: 1 }, 3], [{ a: 1 }, 1])],
    fails: [() => std.assertArrayIncludes([1, 2], [1, 3])],
  },
  {
    name: "assertObjectMatch",
    holds: [
      () => std.assertObjectMatch({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } }),
      () =>
        std.assertObjectMatch({ a: [1, { b: 2, c: 3 }] }, { a: [1, { b: 2 }] }),
    ],
    fails: [
      () => std.assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }),
      () => std.assertObjectMatch({ a: 1 }, { b: undefined }),
      () => std.assertObjectMatch({ a: [1] }, { a: [1, 2] }),
    ],
  },
  {
    name: "assertIsError",
    holds: [
      () => std.assertIsError(new RangeError("too far"), RangeError, "far"),
      () => std.assertIsError(new Error("x1"), Error, /x\d/),
    ],
    fails: [
      () => std.assertIsError("text"),
      () => std.assertIsError(new Error(), RangeError),
      () => std.assertIsError(new Error("a"), Error, "b"),
    ],
  },
  {
    name: "assertThrows",
    holds: [
      () => std.assertThrows(() => raise("a text")),
      () =>
        std.assertThrows(() => raise(new TypeError("bad")), TypeError, "ad"),
    ],
    fails: [
      () => std.assertThrows(() => 1),
      () => std.assertThrows(() => raise(new Error()), TypeError),
      () => std.assertThrows(() => raise("a text"), Error),
      () => std.assertThrows(() => raise(new TypeError("bad")), TypeError, "x"),
    ],
  },
  {
    name: "assertRejects",
    holds: [
      () => std.assertRejects(() => Promise.reject("a text")),
      () => std.assertRejects(() => Promise.reject(new TypeError()), TypeError),
    ],
    fails: [
      () => std.assertRejects(() => Promise.resolve(1)),
      () => std.assertRejects(() => raise(new Error())),
      () => std.assertRejects(() => Promise.reject(new Error()), TypeError),
    ],
  },
  { name: "fail", holds: [], fails: [() => std.fail("why")] },
];

for (const { name, holds, fails } of CASES) {
  Deno.test(`${name} says yes and no when it should`, async () => {
    for (const check of holds) {
      const thrown = await outcome(check);
      if (thrown !== undefined) throw thrown;
    }
    for (const check of fails) {
      const thrown = await outcome(check);
      if (!(thrown instanceof std.AssertionError)) {
        throw new Error(`should have failed: ${check}`, { cause: thrown });
      }
    }
  });
}

Deno.test("assertThrows and assertRejects return what was thrown", async () => {
  const error = new RangeError();
  std.assertStrictEquals(std.assertThrows(() => raise(error)), error);
  std.assertStrictEquals(
    await std.assertRejects(() => Promise.reject(error), RangeError),
    error,
  );
});

class Foo {}

function cycle(): unknown {
  const self: Record<string, unknown> = { a: 1 };
  self["self"] = self;
  return self;
}

function raise(what: unknown): never {
  throw what;
}

async function outcome(check: () => unknown): Promise<unknown> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return error ?? new Error("threw nothing");
  }
}
