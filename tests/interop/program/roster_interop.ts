/** The roster between two hosts, and with another program's mDNS (python3-zeroconf): each finds the other, and gives way. Needs root. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { eventually } from "../../support/eventually.ts";
import { type Host, makeHosts } from "../../support/namespaces.ts";
import {
  programCommand,
  runTool,
  startProgram,
} from "../../support/program.ts";

const ZEROCONF = fromFileUrl(
  new URL("../../testdata/python/zeroconf_peer.py", import.meta.url),
);
const TYPE = "_rolecall._tcp.local.";
/** Longest wait for another program to see something. */
const SEEN_MS = 120_000;

interface Seen {
  readonly event: "add" | "remove";
  readonly name: string;
  readonly port?: number;
  readonly addresses?: readonly string[];
  readonly role?: string;
}

/** The other program on a host; `until` waits for what it has seen. */
function startZeroconf(host: Host, ...label: readonly string[]) {
  const [command, ...inside] = host.inside;
  const child = new Deno.Command(command!, {
    args: [
      ...[...inside, "/usr/bin/python3", ZEROCONF, host.address],
      ...label,
    ],
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const seen: Seen[] = [];
  const reading = (async () => {
    let text = "";
    for await (
      const piece of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (text + piece).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) seen.push(JSON.parse(line));
    }
  })();
  return {
    until: (matches: (seen: Seen) => boolean): Promise<Seen> =>
      eventually(() => seen.find(matches), {
        account: () => `not seen: ${JSON.stringify(seen)}`,
        limitMs: SEEN_MS,
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reading;
    },
  };
}

Deno.test("roster: python3-zeroconf on another host sees our roles come and go, and our roster sees them and its own", async () => {
  await using made = await makeHosts(2, { id: "ro", net: 61 });
  const [here, there] = made.hosts as [Host, Host];
  await using zeroconf = startZeroconf(there, "stranger");
  await using tracker = await startProgram(
    ["tracker", "--port", "6969", "--name", "tracker"],
    { inside: here.inside },
  );
  const seen = await zeroconf.until(({ name }) => name === `tracker.${TYPE}`);
  assertEquals(seen, {
    ...{ event: "add", name: `tracker.${TYPE}`, port: 6969 },
    ...{ addresses: [here.address], role: "tracker" },
  });
  const [command, ...rest] = programCommand();
  const [inside, ...into] = there.inside;
  const { stdout, code, stderr } = await runTool(inside!, [
    ...[...into, command!, ...rest, "roster", "--json"],
  ]);
  assertEquals(code, 0, stderr);
  const { roles } = JSON.parse(stdout) as {
    readonly roles: readonly Record<string, unknown>[];
  };
  assertEquals(
    roles.map(({ instance, role, addresses }) => [instance, role, addresses]),
    [
      ["stranger", "edge", [there.address]],
      ["tracker", "tracker", [here.address]],
    ],
  );
  await tracker.stop();
  await zeroconf.until(({ event, name }) =>
    event === "remove" && name === `tracker.${TYPE}`
  );
});

Deno.test("roster: a role whose name python3-zeroconf has takes another", async () => {
  await using made = await makeHosts(2, { id: "rn", net: 62 });
  const [here, there] = made.hosts as [Host, Host];
  await using zeroconf = startZeroconf(there, "edge");
  await zeroconf.until(({ name }) => name === `edge.${TYPE}`);
  await using echo = await startProgram(
    ["tcp-echo", "--port", "0", "--name", "edge"],
    { inside: here.inside },
  );
  const { instance } = await echo.until("role.announced");
  assertEquals(instance, "edge (2)");
  await zeroconf.until(({ name }) => name === `edge (2).${TYPE}`);
});

Deno.test("roster: a role whose host joins the network after its start is seen there", async () => {
  await using made = await makeHosts(2, { id: "rl", net: 63 });
  const [here, there] = made.hosts as [Host, Host];
  const address = ["-n", here.name, "addr"];
  await runTool("ip", [...address, "flush", "dev", "eth0"]);
  await using zeroconf = startZeroconf(there, "stranger");
  await using echo = await startProgram(
    ["tcp-echo", "--port", "0", "--name", "late"],
    { inside: here.inside },
  );
  await echo.until("role.announced");
  const own = `${here.address}/24`;
  await runTool("ip", [...address, "add", own, "dev", "eth0"]);
  const { addresses } = await zeroconf.until(({ name }) =>
    name === `late.${TYPE}`
  );
  assertEquals(addresses, [here.address]);
});
