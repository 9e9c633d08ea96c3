import { assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import type { RoleContext } from "../../../../lib/role.ts";
import { Stage } from "../../../../roles/demo/stage/stage.ts";

Deno.test("Stage has no use for what a program says that was stopped", async () => {
  const stage = new Stage({} as RoleContext, {
    folder: "/f",
    view: {} as never,
    watchable: false,
    machines: [],
  });
  const resultOf = (stdout: string, seen: readonly string[]) =>
    stage.result({
      name: "maker",
      role: { exited: Promise.resolve({ code: 0, stdout }) },
      all: (type: string) => seen.filter((each) => each === type),
    } as never);
  assertEquals(await resultOf("{}", []), {});
  for (const stdout of ["", "{}"]) {
    await assertRejects(
      () => resultOf(stdout, ["role.stopping"]),
      RunError,
      "stopped",
    );
  }
});
