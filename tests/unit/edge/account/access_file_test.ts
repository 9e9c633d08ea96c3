import { assertEquals } from "@std/assert";
import { fromUtf8 } from "../../../../lib/core/bytes.ts";
import { formatAccess } from "../../../../lib/http/access_log.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { denoClock } from "../../../../lib/io/deno/clock.ts";
import type { HttpRequest } from "../../../../lib/io/http.ts";
import { AccessFile } from "../../../../roles/edge/account/access_file.ts";

function request(target: string): HttpRequest {
  return {
    method: "GET",
    target,
    authority: "x",
    headers: new Fields([["user-agent", "curl/8 \u00e9"]]),
    protocol: "HTTP/1.1",
    body: null,
    remote: { host: "192.0.2.1", port: 1 },
    signal: new AbortController().signal,
  };
}

Deno.test("the access log has every line, whole and in order, however long they are and however often it is written", async () => {
  let text = "";
  let writes = 0;
  const file = {
    append(bytes: string | Uint8Array) {
      writes += 1;
      text += typeof bytes === "string" ? bytes : fromUtf8(bytes);
    },
    failure: undefined,
    [Symbol.dispose]() {},
  };
  const clock = { ...denoClock, wallMs: () => 1_800_000_000_000 };
  const expected: string[] = [];
  {
    await using log = new AccessFile(file, { format: "combined", clock });
    for (let at = 0; at < 3000; at++) {
      const long = at === 1500 ? 40_000 : at % 100 === 0 ? 8000 : 0;
      const asked = request(`/${at}${'"'.repeat(long)}`);
      log.add(asked, 200, at);
      expected.push(formatAccess("combined", {
        ...{ host: "192.0.2.1", wallMs: clock.wallMs(), method: "GET" },
        ...{ target: asked.target, protocol: "HTTP/1.1", status: 200 },
        ...{ bytes: at, fields: asked.headers },
      }));
    }
  }
  assertEquals(text.split("\n"), [...expected, ""]);
  assertEquals(writes > 5 && writes < 30, true, `${writes} writes`);
});
