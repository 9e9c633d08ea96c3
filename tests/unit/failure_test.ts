import { assertEquals, assertMatch } from "@std/assert";
import { InputError, RunError } from "../../lib/core/errors.ts";
import { failureFields } from "../../lib/failure.ts";

Deno.test("failureFields tells where a bug is, and of no other failure", () => {
  assertEquals(failureFields(undefined), { exitCode: 0 });
  assertEquals(failureFields(new InputError("a")), { exitCode: 2, error: "a" });
  assertEquals(failureFields(new RunError("b", "c")), {
    exitCode: 1,
    error: "c",
  });
  const { exitCode, error, trace } = failureFields(new TypeError("d"));
  assertEquals([exitCode, error], [70, "d"]);
  assertMatch(trace!, /failure_test/);
});
