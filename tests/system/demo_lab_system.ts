/** A demo on three hosts: the instructor's, and two that stand by. Needs root and ROLECALL_BIN. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type Host, makeHosts } from "../support/namespaces.ts";
import {
  programCommand,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

const TOKEN = "lab-in-room-7";

Deno.test("demo --on: an echo and a file distribution are played on two other hosts", async () => {
  await using folder = await temporaryFolder();
  await using network = await makeHosts(3, { id: "dl", net: 63 });
  const [own, ...others] = network.hosts as [Host, Host, Host];
  await using stack = new AsyncDisposableStack();
  for (const host of others) {
    const program = stack.use(
      await startProgram(["demo", "--stand-by", "--token", TOKEN], {
        inside: host.inside,
      }),
    );
    await program.until("role.listening");
  }
  const scenario = join(folder.path, "small.json");
  const acts = [
    {
      ...{ act: "echo", pings: 5, interval: "100ms", loss: 0.3 },
      ...{ delay: "1ms", lines: ["straße"] },
    },
    {
      ...{ act: "distribution", file: "16MiB", pieceLength: "128KiB" },
      ...{ serverUpload: "8MiB/s", peerUpload: "8MiB/s", leeches: [2] },
    },
  ];
  await Deno.writeTextFile(scenario, JSON.stringify({ title: "Lab", acts }));
  const [inside, ...rest] = own.inside;
  const { stdout, stderr } = await runTool(inside!, [
    ...[...rest, ...programCommand(), "demo", scenario, "--json"],
    ...others.flatMap(({ address }) => ["--on", `${address}:8090`]),
    ...["--token", TOKEN],
  ]);
  const { checks } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    readonly checks: readonly {
      readonly check: string;
      readonly held: boolean;
    }[];
  };
  const sure = checks.filter(({ check }) =>
    /byte by byte|in capitals|dropped by lot/.test(check)
  );
  assertEquals(sure.map(({ held }) => held), [true, true, true, true], stderr);
});
