import { assertEquals } from "@std/assert";
import { Directives } from "../../../../lib/http/cache/cache_control.ts";
import {
  freshnessLifetime,
  initialAgeMs,
} from "../../../../lib/http/cache/freshness.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { formatHttpDate } from "../../../../lib/http/http_date.ts";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const at = (seconds: number) => formatHttpDate(NOW + seconds * 1000);

Deno.test("freshnessLifetime takes s-maxage, max-age, Expires, then a guess (RFC 9111 §4.2.1)", () => {
  const cases: readonly (readonly [
    Record<string, string>,
    number,
    string,
    number?,
  ])[] = [
    [{ "cache-control": "max-age=10, s-maxage=20" }, 20, "s-maxage"],
    [{ "cache-control": "max-age=10", expires: at(99) }, 10, "max-age"],
    [{ expires: at(99), date: at(0) }, 99, "expires"],
    [{ expires: at(99), date: at(-100) }, 199, "expires"],
    [{ expires: at(99) }, 99, "expires"],
    [{ expires: at(-99), date: at(0) }, 0, "expires"],
    [{ expires: "0" }, 0, "expires"],
    [{ expires: "Mon, 23-Nov-2026 12:00:09 GMT" }, 0, "expires"],
    [{ "last-modified": at(-1000), date: at(0) }, 100, "heuristic"],
    [{ "last-modified": at(-1e8), date: at(0) }, 86_400, "heuristic"],
    [{ "last-modified": at(10), date: at(0) }, 0, "none"],
    [{ "last-modified": at(-1000) }, 0, "none", 302],
    [
      { "last-modified": at(-1000), "cache-control": "public" },
      100,
      "heuristic",
      302,
    ],
    [{}, 0, "none"],
  ];
  for (const [lines, seconds, source, status = 200] of cases) {
    const fields = new Fields(Object.entries(lines));
    assertEquals(
      freshnessLifetime({
        status,
        fields,
        directives: new Directives(fields.get("cache-control")),
        responseWallMs: NOW,
      }),
      { lifetimeMs: seconds * 1000, source } as never,
      JSON.stringify(lines),
    );
  }
});

Deno.test("initialAgeMs adds up RFC 9111 §4.2.3", () => {
  // [Age, Date - now in s, request to response in ms] -> ms
  const cases: readonly (readonly [string | null, number, number, number])[] = [
    [null, 0, 0, 0],
    [null, 0, 250, 250],
    ["30", 0, 250, 30_250],
    // The origin's clock, or a cache without Age in between, says it is older than Age does.
    [null, -60, 250, 60_000],
    ["30", -60, 250, 60_000],
    ["90", -60, 250, 90_250],
    // An origin clock ahead of ours makes nothing younger than nothing.
    [null, 60, 0, 0],
    ["30", 60, 0, 30_000],
    // RFC 9111 §5.1: the first member counts, and what is no number is ignored.
    ["-1", 0, 0, 0],
    ["1.5", 0, 0, 0],
    ["old", 0, 0, 0],
    ["0, 7200", 0, 0, 0],
    ["7200, 0", 0, 0, 7_200_000],
    ["7200;foo=1", 0, 0, 7_200_000],
    ["99999999999", 0, 0, 2 ** 31 * 1000],
  ];
  for (const [age, dateSeconds, delayMs, expected] of cases) {
    assertEquals(
      initialAgeMs({
        fields: new Fields([["date", at(dateSeconds)]]),
        age,
        requestAtMs: 1000,
        responseAtMs: 1000 + delayMs,
        responseWallMs: NOW,
      }),
      expected,
      `Age ${age}, Date ${dateSeconds} s, delay ${delayMs} ms`,
    );
  }
});
