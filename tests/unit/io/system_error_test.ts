import { assertEquals } from "@std/assert";
import { systemError } from "../../../lib/io/deno/errors.ts";

Deno.test("systemError says what a person can do something about in words, not in the system's", () => {
  for (
    const [error, said] of [
      [
        new Error("Network is unreachable (os error 101)"),
        "the network is unreachable",
      ],
      [
        new Error("No route to host (os error 113)"),
        "no machine answers at that address",
      ],
      [
        new Error("invalid peer certificate: UnknownIssuer"),
        "its certificate is not trusted (UnknownIssuer)",
      ],
      [new Deno.errors.ConnectionRefused("x"), "nobody listens there"],
      [new Error("No space left on device (os error 28)"), "the disk is full"],
    ] as const
  ) {
    assertEquals(systemError("do it", error).message, `Cannot do it: ${said}`);
  }
});
