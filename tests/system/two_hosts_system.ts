/** The compiled binary, copied alone to two hosts, with an empty environment: an echo and a torrent go across. Needs root and ROLECALL_BIN. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type Host, makeHosts } from "../support/namespaces.ts";
import {
  type Finished,
  portOf,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** A host's own folder, with nothing in it but the binary. */
async function install(host: Host, folder: string): Promise<Machine> {
  const binary = Deno.env.get("ROLECALL_BIN");
  assert(binary, "ROLECALL_BIN must name the compiled binary");
  const cwd = join(folder, host.name);
  await Deno.mkdir(cwd);
  await Deno.copyFile(binary, join(cwd, "rolecall"));
  const inside = [...host.inside, "env", "-i", `--chdir=${cwd}`, "./rolecall"];
  return {
    host,
    cwd,
    run: (...args) => runTool(inside[0]!, [...inside.slice(1), ...args], {}),
    start: (...args) => startProgram(args, { command: inside }),
  };
}

interface Machine {
  readonly host: Host;
  readonly cwd: string;
  run(...args: readonly string[]): Promise<Finished>;
  start(...args: readonly string[]): ReturnType<typeof startProgram>;
}

Deno.test("the binary alone carries an echo and a torrent between two hosts", async () => {
  await using folder = await temporaryFolder();
  await using network = await makeHosts(2, { id: "sy", net: 10 });
  const [near, far] = await Promise.all(
    network.hosts.map((host) => install(host, folder.path)),
  ) as [Machine, Machine];
  await echo(near, far);
  await torrent(near, far);
});

async function echo(near: Machine, far: Machine): Promise<void> {
  for (const role of ["udp-echo", "tcp-echo"]) {
    await using server = await far.start(role, "--port", "0");
    const { port } = await server.until("role.listening");
    const { code, stdout, stderr } = await near.run(
      ...[role, "--connect", `${far.host.address}:${port}`],
      ...["--message", "straße"],
    );
    assertEquals([code, stdout], [0, "STRASSE\n"], stderr);
    assertEquals((await server.stop()).code, 0);
  }
}

async function torrent(near: Machine, far: Machine): Promise<void> {
  const bytes = new Uint8Array(3_000_001).map((_, at) =>
    (at * 7 + at / 251) & 255
  );
  await Deno.mkdir(join(near.cwd, "share"));
  await Deno.writeFile(join(near.cwd, "share", "lecture.bin"), bytes);
  await using tracker = await near.start("tracker", "--port", "0");
  const port = await portOf(tracker, "http");
  const made = await near.run(
    ...["peer", "--create", "share/lecture.bin"],
    ...["--announce", `http://${near.host.address}:${port}/announce`],
    ...["-o", "lecture.torrent"],
  );
  assertEquals(made.code, 0, made.stderr);
  await Deno.copyFile(
    join(near.cwd, "lecture.torrent"),
    join(far.cwd, "lecture.torrent"),
  );
  await using seed = await near.start(
    ...["peer", "lecture.torrent", "--dir", "share", "--port", "0"],
  );
  await seed.until("role.listening");
  const leech = await far.run(
    ...["peer", "lecture.torrent", "--dir", "got", "--port", "0"],
    "--exit-when-complete",
  );
  assertEquals(leech.code, 0, leech.stderr);
  assertEquals(await Deno.readFile(join(far.cwd, "got", "lecture.bin")), bytes);
}
