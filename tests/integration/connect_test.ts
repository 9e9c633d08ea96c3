import { assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../lib/core/errors.ts";
import { denoNet } from "../../lib/io/deno_net.ts";
import { countedSignal } from "../support/counted_signal.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test(
  "a connection that was made, refused or given up leaves nothing behind at its signal",
  STRICT,
  async () => {
    await using listener = denoNet.listenTcp({ host: "127.0.0.1", port: 0 });
    const { host, port } = listener;
    const role = countedSignal();
    const { signal } = role;
    const options = { timeoutMs: 5000, signal };
    for (let n = 0; n < 3; n++) {
      using _connection = await denoNet.connectTcp({ host, port }, options);
      assertEquals(role.listeners(), 0);
    }
    await listener[Symbol.asyncDispose]();
    const refused = await assertRejects(
      () => denoNet.connectTcp({ host, port }, options),
      RunError,
    );
    assertEquals(refused.code, "connect-failed");
    assertEquals(role.listeners(), 0);

    const givenUp = denoNet.connectTcp({ host, port }, options);
    role.controller.abort(new RunError("stopped", "the role ends"));
    assertEquals(
      (await assertRejects(() => givenUp, RunError)).code,
      "stopped",
    );
    assertEquals(role.listeners(), 0);
  },
);
