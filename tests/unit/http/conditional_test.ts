import { assertEquals } from "@std/assert";
import {
  evaluateConditions,
  type Validators,
} from "../../../lib/http/conditional.ts";

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const NOW = Date.UTC(2026, 10, 23);
const AT = "Fri, 02 Jan 2026 03:04:05 GMT";
const BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT";
const CURRENT: Validators = {
  entityTag: { weak: false, opaque: "v1" },
  modifiedAtWallMs: MODIFIED,
};

/** 200 or 206 (would a range be used), 304, 412. */
function statusOf(
  headers: Record<string, string>,
  { method = "GET", current = CURRENT, nowWallMs = NOW } = {},
): number {
  const outcome = evaluateConditions(
    { method, headers: new Headers(headers) },
    current,
    nowWallMs,
  );
  if (outcome.kind === "not-modified") return 304;
  if (outcome.kind === "precondition-failed") return 412;
  return outcome.useRange ? 206 : 200;
}

Deno.test("evaluateConditions keeps RFC 9110 section 13, one condition at a time", () => {
  const cases: readonly [headers: Record<string, string>, status: number][] = [
    [{}, 206],
    [{ "if-none-match": '"v1"' }, 304],
    [{ "if-none-match": 'W/"v1"' }, 304],
    [{ "if-none-match": '"v0", "v1"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"v0"' }, 206],
    [{ "if-none-match": "v1" }, 206],
    [{ "if-modified-since": AT }, 304],
    [{ "if-modified-since": BEFORE }, 206],
    [{ "if-modified-since": "yesterday" }, 206],
    [{ "if-match": '"v1"' }, 206],
    [{ "if-match": "*" }, 206],
    [{ "if-match": 'W/"v1"' }, 412],
    [{ "if-match": '"v0"' }, 412],
    [{ "if-unmodified-since": AT }, 206],
    [{ "if-unmodified-since": BEFORE }, 412],
    [{ "if-unmodified-since": "never" }, 206],
    [{ "if-range": '"v1"' }, 206],
    [{ "if-range": '"v0"' }, 200],
    [{ "if-range": 'W/"v1"' }, 200],
    [{ "if-range": AT }, 206],
    [{ "if-range": BEFORE }, 200],
    [{ "if-range": "soon" }, 200],
  ];
  for (const [headers, status] of cases) {
    assertEquals(statusOf(headers), status, JSON.stringify(headers));
  }
});

Deno.test("evaluateConditions lets tags win over dates", () => {
  assertEquals(
    statusOf({ "if-none-match": '"v0"', "if-modified-since": AT }),
    206,
  );
  assertEquals(
    statusOf({ "if-match": '"v1"', "if-unmodified-since": BEFORE }),
    206,
  );
  assertEquals(
    statusOf({ "if-match": '"v0"', "if-none-match": '"v1"' }),
    412,
  );
});

Deno.test("evaluateConditions answers 412, not 304, to methods that write", () => {
  assertEquals(statusOf({ "if-none-match": "*" }, { method: "PUT" }), 412);
  assertEquals(statusOf({ "if-modified-since": AT }, { method: "PUT" }), 200);
  assertEquals(statusOf({ "if-none-match": '"v1"' }, { method: "HEAD" }), 304);
});

Deno.test("evaluateConditions uses no range for HEAD or for a date that is not yet strong", () => {
  assertEquals(statusOf({}, { method: "HEAD" }), 200);
  assertEquals(
    statusOf({ "if-range": AT }, { nowWallMs: MODIFIED + 100 }),
    200,
  );
});

Deno.test("evaluateConditions matches only * when there are no validators", () => {
  const current = { entityTag: undefined, modifiedAtWallMs: undefined };
  assertEquals(statusOf({ "if-none-match": "*" }, { current }), 304);
  assertEquals(statusOf({ "if-none-match": '"v1"' }, { current }), 206);
  assertEquals(statusOf({ "if-match": '"v1"' }, { current }), 412);
  assertEquals(statusOf({ "if-unmodified-since": BEFORE }, { current }), 206);
  assertEquals(statusOf({ "if-range": AT }, { current }), 200);
});
