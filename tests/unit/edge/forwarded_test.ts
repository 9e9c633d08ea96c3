import { assertEquals } from "@std/assert";
import { Fields } from "../../../lib/http/fields.ts";
import { forwardedFields } from "../../../roles/edge/forwarded.ts";
import { requestOf } from "../../support/http_exchange.ts";

Deno.test("forwardedFields signs with the version in which the request came, and passes on nothing that names another host, path or scheme", () => {
  const us = { pseudonym: "e", mark: "m", scheme: "http" } as const;
  const headers = new Fields([
    ["host", "evil.test"],
    ["x-forwarded-prefix", "/evil"],
    ["x-forwarded-for", "192.0.2.9"],
    ["front-end-https", "on"],
    ["x-forwarded", "kept"],
    ["accept", "text/html"],
  ]);
  for (const version of ["1.0", "1.1", "2.0"]) {
    const request = requestOf("/", { headers, protocol: `HTTP/${version}` });
    assertEquals([...forwardedFields(request, us)], [
      ["x-forwarded-for", "192.0.2.9, 192.0.2.1"],
      ["x-forwarded", "kept"],
      ["accept", "text/html"],
      ["accept-encoding", "identity"],
      ["via", `${version} e (m)`],
      ["forwarded", "for=192.0.2.1;proto=http"],
    ]);
  }
});
