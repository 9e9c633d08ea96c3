import { assertEquals } from "@std/assert";
import { Directives } from "../../../../lib/http/cache/cache_control.ts";
import { mayStandIn, reuse } from "../../../../lib/http/cache/reuse.ts";

function stored(cacheControl: string, lifetimeSeconds: number) {
  return {
    initialAgeMs: 2000,
    responseAtMs: 10_000,
    lifetimeMs: lifetimeSeconds * 1000,
    directives: new Directives(cacheControl),
  };
}

Deno.test("reuse decides by response, request and age (RFC 9111 §4, §5.2.1; RFC 5861)", () => {
  // Stored at 10 s with age 2 s; now it is 18 s, so the age is 10 s.
  const cases: readonly (readonly [string, number, string, string])[] = [
    ["", 11, "", "fresh"],
    ["", 10, "", "revalidate"],
    ["no-cache", 99, "", "revalidate"],
    ['no-cache="x"', 99, "", "fresh"],
    ["", 99, "no-cache", "revalidate"],
    ["", 99, "max-age=10", "fresh"],
    ["", 99, "max-age=9", "revalidate"],
    ["", 99, "max-age=0", "revalidate"],
    ["", 99, "min-fresh=89", "fresh"],
    ["", 99, "min-fresh=90", "revalidate"],
    ["", 5, "max-stale", "stale"],
    ["", 5, "max-stale=6", "stale"],
    ["", 5, "max-stale=5", "revalidate"],
    ["must-revalidate", 5, "max-stale", "revalidate"],
    ["proxy-revalidate", 5, "max-stale", "revalidate"],
    ["s-maxage=5", 5, "max-stale", "revalidate"],
    ["stale-while-revalidate=6", 5, "", "stale-while-revalidate"],
    ["stale-while-revalidate=5", 5, "", "revalidate"],
    ["stale-while-revalidate=9, must-revalidate", 5, "", "revalidate"],
  ];
  for (const [response, lifetime, request, expected] of cases) {
    const decision = reuse(
      stored(response, lifetime),
      new Directives(request),
      18_000,
    );
    assertEquals(
      decision.kind,
      expected as never,
      `${response} | ${lifetime} | ${request}`,
    );
    assertEquals(decision.ageMs, 10_000);
    assertEquals(decision.ttlMs, lifetime * 1000 - 10_000);
  }
});

Deno.test("mayStandIn needs stale-if-error for an error status, and nothing while no origin answers", () => {
  const cases: readonly (readonly [
    string,
    string,
    "status" | "unreachable",
    boolean,
  ])[] = [
    ["", "", "unreachable", true],
    ["", "", "status", false],
    ["stale-if-error=6", "", "status", true],
    ["stale-if-error=5", "", "status", false],
    ["stale-if-error=5", "", "unreachable", false],
    ["", "stale-if-error=60", "status", true],
    ["must-revalidate", "", "unreachable", false],
    ["proxy-revalidate, stale-if-error=60", "", "status", false],
    ["s-maxage=5", "", "unreachable", false],
    ["no-cache", "", "unreachable", false],
    ["", "no-cache", "unreachable", false],
  ];
  for (const [response, request, failure, expected] of cases) {
    assertEquals(
      mayStandIn(stored(response, 5), new Directives(request), {
        failure,
        nowMs: 18_000,
      }),
      expected,
      `${response} | ${request} | ${failure}`,
    );
  }
});
