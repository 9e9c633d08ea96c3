import { assertEquals } from "@std/assert";
import { Fields } from "../../../../lib/http/fields.ts";
import {
  FieldsOnDemand,
  forwardedFields,
} from "../../../../roles/edge/requests/forwarded.ts";
import { requestOf } from "../../../support/http_exchange.ts";

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

Deno.test("FieldsOnDemand has what goes on, made when somebody asks for it", () => {
  const sent = new Fields([["accept", "a"], ["te", "b"]]);
  let made = 0;
  const fields = new FieldsOnDemand(sent, {
    forFill() {
      made += 1;
      return { fields: new Fields([["accept", "a"], ["via", "1.1 e"]]) };
    },
  });
  assertEquals([fields.get("cache-control"), made], [null, 0]);
  // Sent, and does not go on.
  assertEquals([fields.get("TE"), made], [null, 1]);
  assertEquals([fields.get("accept"), fields.get("Via")], ["a", "1.1 e"]);
  assertEquals([...fields].length, 2);
  assertEquals(made, 1);
});

Deno.test("FieldsOnDemand knows the coding that goes on without making the fields", () => {
  const us = { pseudonym: "e", mark: "m", scheme: "http" } as const;
  const headers = new Fields([["accept-encoding", "gzip"]]);
  let made = 0;
  const fields = new FieldsOnDemand(headers, {
    forFill() {
      made += 1;
      return { fields: forwardedFields(requestOf("/", { headers }), us) };
    },
  });
  assertEquals([fields.get("Accept-Encoding"), made], ["identity", 0]);
  const lines = new Map(fields);
  assertEquals(lines.get("accept-encoding"), "identity");
});

Deno.test("FieldsOnDemand has what is added though nobody sent it", () => {
  const made = new Fields([["forwarded", "for=192.0.2.1"]]);
  const fields = new FieldsOnDemand(new Fields(), {
    forFill: () => ({ fields: made }),
  });
  assertEquals(fields.get("Forwarded"), "for=192.0.2.1");
});
