import { assert, assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import {
  planOptions,
  planResource,
} from "../../../../roles/origin/answer/answer.ts";
import { memoryResource } from "../../../../roles/origin/site/site.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const RESOURCE = memoryResource(utf8("0123456789"), {
  mediaType: "video/mp4",
  entityTag: { weak: false, opaque: "v1" },
  modifiedAtWallMs: Date.UTC(2026, 0, 1),
});

function ask(
  headers: Record<string, string> = {},
  { method = "GET", resource = RESOURCE } = {},
) {
  return planResource({ method, headers: new Headers(headers) }, resource, {
    nowWallMs: NOW,
    maxAgeMs: 90_500,
    boundary: "B",
  });
}

Deno.test("planResource sends the whole with validators, freshness and CORS", () => {
  const { status, headers, body } = ask();
  assertEquals(status, 200);
  assertEquals(headers.get("content-type"), "video/mp4");
  assertEquals(headers.get("etag"), '"v1"');
  assertEquals(headers.get("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
  assertEquals(
    headers.get("cache-control"),
    "public, max-age=90, no-transform",
  );
  assertEquals(headers.get("accept-ranges"), "bytes");
  assertEquals(headers.get("access-control-allow-origin"), "*");
  assert(headers.get("access-control-expose-headers")!.includes("ETag"));
  assertEquals(headers.get("content-range"), null);
  assert(body.kind === "resource" && body.lengthBytes === 10);
});

Deno.test("planResource lets caches keep an answer as long as the flag says, and no longer than the resource does", () => {
  for (
    const [maxAgeMs, wanted] of [
      [undefined, "public, max-age=90, no-transform"],
      [1000, "public, max-age=1, no-transform"],
      [100_000, "public, max-age=90, no-transform"],
      [0, "no-store"],
    ] as const
  ) {
    const resource = maxAgeMs === undefined
      ? RESOURCE
      : { ...RESOURCE, maxAgeMs };
    assertEquals(ask({}, { resource }).headers.get("cache-control"), wanted);
  }
});

Deno.test("planResource sends one part, several, or says that there is none", () => {
  const one = ask({ range: "bytes=2-4" });
  assertEquals([one.status, one.headers.get("content-range")], [
    206,
    "bytes 2-4/10",
  ]);
  assert(one.body.kind === "resource" && one.body.lengthBytes === 3);
  const two = ask({ range: "bytes=0-0,-1" });
  assertEquals(two.status, 206);
  assertEquals(two.headers.get("content-range"), null);
  assertEquals(
    two.headers.get("content-type"),
    "multipart/byteranges; boundary=B",
  );
  const none = ask({ range: "bytes=10-" });
  assertEquals([none.status, none.headers.get("content-range")], [
    416,
    "bytes */10",
  ]);
  assertEquals(ask({ range: "lines=1-2" }).status, 200);
});

Deno.test("planResource lets conditions come before ranges", () => {
  const range = "bytes=0-1";
  const unchanged = ask({ range, "if-none-match": '"v1"' });
  assertEquals([unchanged.status, unchanged.body.kind], [304, "none"]);
  assertEquals(unchanged.headers.get("etag"), '"v1"');
  assertEquals(
    unchanged.headers.get("cache-control"),
    "public, max-age=90, no-transform",
  );
  assertEquals(ask({ range, "if-match": '"v0"' }).status, 412);
  assertEquals(ask({ range, "if-range": '"v0"' }).status, 200);
  assertEquals(ask({ range, "if-range": '"v1"' }).status, 206);
  assertEquals(ask({ range }, { method: "HEAD" }).status, 200);
});

Deno.test("planResource never sends a date that is to come, nor a part of nothing", () => {
  const resource = memoryResource(new Uint8Array(), {
    mediaType: "text/plain",
    entityTag: { weak: false, opaque: "e" },
    modifiedAtWallMs: NOW + 1e9,
  });
  const { status, headers, body } = ask({}, { resource });
  assertEquals(status, 200);
  assertEquals(headers.get("last-modified"), "Mon, 23 Nov 2026 12:00:00 GMT");
  assert(body.kind === "resource" && body.lengthBytes === 0);
});

Deno.test("planOptions tells browsers what pages from elsewhere may ask", () => {
  const { status, headers } = planOptions("GET, HEAD");
  assertEquals(status, 204);
  assertEquals(headers.get("access-control-allow-methods"), "GET, HEAD");
  assert(headers.get("access-control-allow-headers")!.includes("Range"));
});
