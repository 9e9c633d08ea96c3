import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import type { RoleContext } from "../../../../lib/role.ts";
import { Stage } from "../../../../roles/demo/stage/stage.ts";

const NO_STAGE = {
  folder: "/f",
  view: {} as never,
  watchable: false,
  machines: [],
};

Deno.test("Stage stops its programs as soon as the demo is told to end, for an act that waits for them", async () => {
  const end = new AbortController();
  const exited = Promise.withResolvers<{ code: number; stdout: string }>();
  const stage = new Stage(
    {
      signal: end.signal,
      emit: () => {},
      processes: {
        startSelf: () => ({
          pid: 1,
          events: [{ type: "role.stopping" }],
          exited: exited.promise,
          stop: () => exited.resolve({ code: 0, stdout: "" }),
        }),
      },
    } as unknown as RoleContext,
    NO_STAGE,
  );
  const result = stage.result(stage.start("player", ["dash-client"]));
  end.abort();
  await assertRejects(() => result, RunError, "stopped");
});

Deno.test("Stage has no use for what a program says that was stopped", async () => {
  const { signal } = new AbortController();
  const stage = new Stage({ signal } as RoleContext, NO_STAGE);
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

Deno.test("Stage says how to add the loopback addresses of a machine or of a client that the system lacks", () => {
  const stage = new Stage({
    signal: new AbortController().signal,
    net: {
      listenUdp() {
        throw new RunError("address-not-available", "no such address");
      },
    },
  } as unknown as RoleContext, NO_STAGE);
  for (const host of [stage.machineHere(), "127.1.0.10"]) {
    const add = host === "127.0.0.2"
      ? "for n in {2..40}; do sudo ifconfig lo0 alias 127.0.0.$n; done"
      : "for n in {10..48}; do sudo ifconfig lo0 alias 127.1.0.$n; done";
    assertThrows(
      () => stage.start("client", ["dash-client", "--host", host]),
      RunError,
      add,
    );
  }
});
