import { assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../../lib/core/errors.ts";
import type { Address, UdpSocket } from "../../../lib/io/net.ts";
import { runUdpClient } from "../../../roles/udp_echo/client.ts";
import { roleContext } from "../../support/role_context.ts";

/** A client whose server has several addresses, of which some can be reached. */
async function ask(addresses: readonly string[], reached: readonly string[]) {
  const tried: string[] = [];
  const arrived = Promise.withResolvers<{ bytes: Uint8Array } & Address>();
  const socket: UdpSocket = {
    ...{ host: "::", port: 40_000 },
    serve: () => Promise.reject(new Error("not used here")),
    async send(bytes, to) {
      tried.push(to.host);
      await Promise.resolve();
      if (!reached.includes(to.host)) {
        throw new RunError("send-failed", `Cannot send to ${to.host}`);
      }
      arrived.resolve({ bytes, ...to });
    },
    async *receive() {
      yield await arrived.promise;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const ctx = roleContext({
    net: {
      resolve: () => Promise.resolve(addresses),
      listenUdp: () => socket,
    },
    finish() {},
  });
  await runUdpClient({
    connect: { host: "lab.example", port: 12_000 },
    ...{ message: "HI", count: undefined, interval: 1000, timeout: 1000 },
  }, ctx);
  return { tried, events: ctx.events };
}

Deno.test("a UDP client goes on to the server's next address where the first cannot be sent to, IPv4 first", async () => {
  const { tried, events } = await ask(
    ["fd00::9", "10.9.9.9", "10.9.9.8"],
    ["fd00::9"],
  );
  assertEquals(tried, ["10.9.9.9", "10.9.9.8", "fd00::9"]);
  assertEquals(
    events.map((event) => event.type === "reply.received" && event.remote),
    ["[fd00::9]:12000"],
  );
  assertEquals((await ask(["fd00::9", "10.9.9.9"], ["10.9.9.9"])).tried, [
    "10.9.9.9",
  ]);
});

Deno.test("a UDP client that can send to none of the addresses says why of the first", async () => {
  const error = await assertRejects(
    () => ask(["fd00::9", "10.9.9.9"], []),
    RunError,
  );
  assertEquals(error.message, "Cannot send to 10.9.9.9");
});
