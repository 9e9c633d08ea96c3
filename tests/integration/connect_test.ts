import { assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../lib/core/errors.ts";
import { denoClock } from "../../lib/io/deno/clock.ts";
import { denoNet } from "../../lib/io/deno/net.ts";
import { announceOnce } from "../../lib/peer/announce_once.ts";
import { checkEdge } from "../../roles/dns_redirector/watch/edge_check.ts";
import { announceOf } from "../support/announce.ts";
import { countedSignal } from "../support/counted_signal.ts";
import { roleContext } from "../support/role_context.ts";
import { freePort } from "../support/tools.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test(
  "a connection that was made, refused or given up leaves nothing behind at its signal",
  STRICT,
  async () => {
    // A port that the system gives to nobody else when it is free again.
    await using listener = denoNet.listenTcp({
      host: "127.0.0.1",
      port: freePort(),
    });
    const { host, port } = listener;
    const role = countedSignal();
    const { signal } = role;
    const options = { timeoutMs: 60_000, signal };
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

Deno.test("a connection to a name is made to whichever of its addresses takes it", async () => {
  const options = { timeoutMs: 60_000 };
  for (const host of ["127.0.0.1", "::1"]) {
    await using listener = denoNet.listenTcp({ host, port: 0 });
    const to = { host: "localhost", port: listener.port };
    using connection = await denoNet.connectTcp(to, options);
    assertEquals(connection.remote, { host, port: listener.port });
  }
});

const RULES = {
  ...{ intervalMs: 1000, fall: 2, rise: 2, timeoutMs: 60_000 },
  ...{ check: "/up", port: 80, host: undefined, status: 200 },
  ...{ body: undefined, loadPort: 80, loadPath: "/metrics", loadMetrics: [] },
};

// the client that names hosts stays for its connections
const KEPT = { sanitizeResources: false };

Deno.test(
  "fetch tells a server elsewhere the name that the URL has, and keeps its connection",
  KEPT,
  async () => {
    const asked: { readonly host: string | null; readonly port: number }[] = [];
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ headers }, { remoteAddr }) => {
        const { port } = remoteAddr as Deno.NetAddr;
        asked.push({ host: headers.get("host"), port });
        return new Response("in service");
      },
    );
    const { port } = server.addr;
    for (const url of ["http://a.example/up", "http://b.example:81/up"]) {
      const response = await denoNet.fetch(url, {
        connectTo: { host: "127.0.0.1", port },
      });
      assertEquals(await response.text(), "in service");
    }
    assertEquals(asked.map(({ host }) => host), ["a.example", "b.example:81"]);
    assertEquals(asked[0]?.port, asked[1]?.port);
  },
);

Deno.test("announces and checks of edges leave nothing behind at the role's signal", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("d8:intervali60e5:peers0:e"),
  );
  const { hostname: host, port } = server.addr;
  const role = countedSignal();
  const { signal } = role;
  const ctx = { ...roleContext(), clock: denoClock, net: denoNet };
  for (let n = 0; n < 3; n++) {
    const url = `http://${host}:${port}/announce`;
    const reply = await announceOnce(url, announceOf(), { ctx, signal });
    assertEquals(reply.intervalSeconds, 60);
    const outcome = await checkEdge({ host, port }, RULES, { ctx, signal });
    assertEquals(outcome.kind, "passed");
    assertEquals(role.listeners(), 0);
  }
});
