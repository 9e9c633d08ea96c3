import { assertEquals, assertThrows } from "@std/assert";
import { Fields } from "../../../../lib/http/fields.ts";
import {
  formatResponseHead,
  SealedFields,
} from "../../../../lib/http/http1/response_head.ts";

Deno.test("SealedFields has the head that its fields would have, whatever was written before", () => {
  const lines: [string, string][] = [["etag", '"1"'], ["content-length", "7"]];
  const sealed = new SealedFields(new Fields(lines));
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const whole = {
    framing: { kind: "length", bytes: 7 },
    connection: undefined,
    date,
  } as const;
  const all = [
    whole,
    { ...whole, framing: { kind: "length", bytes: 8 } },
    { ...whole, framing: { kind: "chunked" } },
    { ...whole, framing: { kind: "none", mayDescribe: true } },
    { ...whole, framing: { kind: "none", mayDescribe: false } },
    { ...whole, connection: "close" },
    { ...whole, date: date.replace("37", "38") },
  ] as const;
  for (const options of [...all, ...all.toReversed()]) {
    for (const status of [200, 203]) {
      const expected = formatResponseHead(
        { status, fields: new Fields(lines) },
        options,
      );
      for (let times = 0; times < 2; times++) {
        const written = formatResponseHead({ status, fields: sealed }, options);
        assertEquals(written, expected);
      }
    }
  }
  assertEquals([...sealed], lines);
});

Deno.test("SealedFields cannot carry a line end into a head either", () => {
  const fields = new SealedFields(new Fields([["x", "a\r\nb: c"]]));
  const options = {
    framing: { kind: "chunked" },
    connection: undefined,
    date: "",
  } as const;
  for (let times = 0; times < 2; times++) {
    assertThrows(
      () => formatResponseHead({ status: 200, fields }, options),
      TypeError,
    );
  }
});
