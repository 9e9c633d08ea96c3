import { assertEquals } from "@std/assert";
import {
  Directives,
  requestDirectives,
} from "../../../../lib/http/cache/cache_control.ts";
import {
  answersGet,
  fieldsNotToStore,
  invalidatedUrls,
  mayStore,
} from "../../../../lib/http/cache/storability.ts";
import { Fields } from "../../../../lib/http/fields.ts";

Deno.test("mayStore keeps the rules of RFC 9111 §3 for a shared cache", () => {
  const cases: readonly (readonly [
    Record<string, string>,
    string,
    Record<string, string>?,
    number?,
    string?,
  ])[] = [
    [{ "cache-control": "max-age=1" }, "ok"],
    [{}, "ok"],
    [{}, "no-freshness", {}, 201],
    [{ expires: "0" }, "ok", {}, 201],
    [{ "cache-control": "no-store, max-age=1" }, "no-store"],
    [{ "cache-control": "no-store, must-understand, max-age=1" }, "ok"],
    [
      { "cache-control": "must-understand, max-age=1" },
      "must-understand",
      {},
      599,
    ],
    [{ "cache-control": "max-age=1" }, "ok", {}, 599],
    [{ "cache-control": "private, max-age=1" }, "private"],
    [{ "cache-control": 'private="x", max-age=1' }, "ok"],
    [{ "cache-control": "max-age=1" }, "request-no-store", {
      "cache-control": "no-store",
    }],
    [{ "cache-control": "max-age=1" }, "authorization", { authorization: "x" }],
    [{ "cache-control": "public" }, "ok", { authorization: "x" }],
    [{ "cache-control": "s-maxage=1" }, "ok", { authorization: "x" }],
    [{ "cache-control": "must-revalidate" }, "ok", { authorization: "x" }],
    [{ "cache-control": "max-age=1", vary: "a, *" }, "vary-any"],
    [{ "cache-control": "max-age=1", "set-cookie": "a=1" }, "ok"],
    [{ "cache-control": "max-age=1" }, "ok", {}, 206],
    [{ "cache-control": "max-age=1" }, "status", {}, 304],
    [{ "cache-control": "max-age=1" }, "method", {}, 200, "POST"],
    [{ "cache-control": "max-age=1" }, "method", {}, 200, "HEAD"],
  ];
  for (
    const [response, expected, request = {}, status = 200, method = "GET"]
      of cases
  ) {
    const fields = new Fields(Object.entries(response));
    const requestFields = new Fields(Object.entries(request));
    const { store, reason } = mayStore({
      method,
      requestFields,
      requestDirectives: requestDirectives(requestFields),
      status,
      fields,
      directives: new Directives(fields.get("cache-control")),
    });
    const label = JSON.stringify([response, request, status, method]);
    assertEquals(reason, expected, label);
    assertEquals(store, expected === "ok", label);
  }
});

Deno.test("fieldsNotToStore names what no-cache and private name", () => {
  assertEquals(
    fieldsNotToStore(new Directives('no-cache="Set-Cookie", private="X-A"')),
    ["set-cookie", "x-a"],
  );
});

Deno.test("invalidatedUrls names the target and same-origin locations of unsafe methods that worked", () => {
  const url = "http://o.example/a/b";
  const of = (method: string, status: number, lines: [string, string][] = []) =>
    invalidatedUrls({ method, url, status, fields: new Fields(lines) });
  assertEquals(of("GET", 200), []);
  assertEquals(of("POST", 500), []);
  assertEquals(of("M-SEARCH", 200), [url]);
  assertEquals(
    of("POST", 201, [["location", "../c"], ["content-location", "/d?e"]]),
    [url, "http://o.example/c", "http://o.example/d?e"],
  );
  assertEquals(of("PUT", 204, [["location", "http://other.example/"]]), [url]);
});

Deno.test("answersGet takes the answer to a POST only with its own location and a lifetime (RFC 9110 §9.3.3)", () => {
  const url = "http://o.test/a?b";
  const here = { "cache-control": "max-age=9", "content-location": "/a?b" };
  const cases: readonly (readonly [Record<string, string>, boolean])[] = [
    [here, true],
    [{ ...here, "content-location": url }, true],
    [{ ...here, "content-location": "/a" }, false],
    [{ ...here, "content-location": "http://p.test/a?b" }, false],
    [{ "content-location": "/a?b", "last-modified": "x" }, false],
    [{ "cache-control": "max-age=9" }, false],
  ];
  for (const [lines, expected] of cases) {
    const fields = new Fields(Object.entries(lines));
    const label = JSON.stringify(lines);
    assertEquals(answersGet({ url, status: 200, fields }), expected, label);
    assertEquals(answersGet({ url, status: 201, fields }), false, label);
  }
});
