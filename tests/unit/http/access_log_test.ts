import { assertEquals } from "@std/assert";
import { Fields } from "../../../lib/http/fields.ts";
import { formatAccess } from "../../../lib/http/access_log.ts";

const RECORD = {
  host: "192.0.2.1",
  wallMs: Date.UTC(2026, 9, 10, 13, 55, 36),
  method: "GET",
  target: "/apache_pb.gif",
  protocol: "HTTP/1.0",
  status: 200,
  bytes: 2326,
  fields: new Fields([["referer", "http://a/"], ["user-agent", 'x "y"\\']]),
};

Deno.test("formatAccess writes the lines that log readers know", () => {
  const common =
    '192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "GET /apache_pb.gif HTTP/1.0" 200 2326';
  assertEquals(formatAccess("common", RECORD), common);
  assertEquals(
    formatAccess("combined", RECORD),
    `${common} "http://a/" "x \\x22y\\x22\\x5C"`,
  );
});

Deno.test("formatAccess lets nobody write a line of their own", () => {
  const line = formatAccess("combined", {
    ...RECORD,
    bytes: 0,
    target: '/a" 200 1\n\x1b[31m',
    fields: new Fields(),
  });
  assertEquals(
    line,
    '192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a\\x22 200 1\\x0A\\x1B[31m HTTP/1.0" 200 - "-" "-"',
  );
});
