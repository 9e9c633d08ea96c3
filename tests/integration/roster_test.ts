/** `rolecall roster` and the entries of running roles, on loopback. Other tests' roles are there too: names tell ours. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { runProgram, startProgram } from "../support/program.ts";

const HOST = ["--host", "127.0.0.1"];
/** Nobody else's. */
const NAME = `roster-test-${Deno.pid}`;

interface Row {
  readonly instance: string;
  readonly role: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly sockets: readonly {
    readonly transport: string;
    readonly port: number;
  }[];
  readonly admin: string | null;
  readonly version: string;
}

/** Looks again should not all of ours have answered in time: a busy machine may be late, and the network may lose something. */
async function look(
  count: number,
  ...flags: readonly string[]
): Promise<readonly Row[]> {
  for (let tries = 1;; tries++) {
    const { code, stdout, stderr } = await runProgram([
      ...["roster", ...HOST, "--json", "--wait", "3s", ...flags],
    ]);
    assertEquals(code, 0, stderr);
    const { roles } = JSON.parse(stdout) as { readonly roles: readonly Row[] };
    const ours = roles.filter(({ instance }) => instance.startsWith(NAME));
    if (ours.length === count || tries === 5) return ours;
  }
}

Deno.test("roster: two roles of one name are both there, with their sockets; one that is --unlisted is not", async () => {
  const named = [...HOST, "--port", "0", "--name", NAME];
  await using tracker = await startProgram([
    ...["tracker", ...named, "--admin", "0"],
  ]);
  const first = await tracker.until("role.announced");
  await using echo = await startProgram(["tcp-echo", ...named]);
  await using unlisted = await startProgram([
    ...["tcp-echo", ...named, "--unlisted"],
  ]);
  const second = await echo.until("role.announced");
  assertEquals([first.instance, second.instance], [NAME, `${NAME} (2)`]);
  const http = await tracker.until(
    "role.listening",
    ({ transport }) => transport === "http",
  );
  const admin = await tracker.until("admin.listening");
  const tcp = await echo.until("role.listening");
  const rows = await look(2);
  const version = rows[0]?.version ?? "";
  assertMatch(version, /^[0-9]/);
  assertEquals(rows, [
    {
      ...{ instance: `${NAME} (2)`, role: "tcp-echo", name: NAME, version },
      addresses: ["127.0.0.1"],
      sockets: [{ transport: "tcp", port: tcp.port }],
      admin: null,
    },
    {
      ...{ instance: NAME, role: "tracker", name: NAME, version },
      addresses: ["127.0.0.1"],
      sockets: [
        { transport: "http", port: http.port },
        { transport: "udp", port: http.port },
      ],
      admin: `127.0.0.1:${admin.port}`,
    },
  ]);
  assertEquals((await look(1, "--only", "tracker")).length, 1);
  assert(unlisted.events.every(({ type }) => type !== "role.announced"));
  for (const program of [tracker, echo]) {
    assertEquals((await program.stop()).code, 0);
    assertEquals(program.events.at(-1)?.type, "role.finished");
  }
});

Deno.test("roster --watch: tells who comes, and who says goodbye", async () => {
  const name = `${NAME}-watched`;
  await using watch = await startProgram(["roster", ...HOST, "--watch"]);
  await using echo = await startProgram([
    ...["udp-echo", ...HOST, "--port", "0", "--name", name],
  ]);
  const isOurs = ({ instance }: { readonly instance: string }) =>
    instance === name;
  const found = await watch.until("instance.found", isOurs);
  const { port } = await echo.until("role.listening");
  assertEquals(
    [found.instanceRole, found.addresses, found.sockets],
    ["udp-echo", "127.0.0.1", `udp ${port}`],
  );
  await echo.stop();
  const lost = await watch.until("instance.lost", isOurs);
  assertEquals(lost.instanceRole, "udp-echo");
  const { code, stdout } = await watch.stop();
  assertEquals([code, stdout], [0, ""]);
});

Deno.test("roster: shows where an --admin at all addresses is to be asked", async () => {
  const name = `${NAME}-admin`;
  await using echo = await startProgram([
    ...["tcp-echo", ...HOST, "--port", "0", "--name", name],
    ...["--admin", "0.0.0.0:0"],
  ]);
  await echo.until("role.announced");
  const { port } = await echo.until("admin.listening");
  let said = "";
  const line = await eventually(async () => {
    said = (await runProgram(["roster", ...HOST, "--wait", "3s"])).stdout;
    return said.split("\n").find((each) => each.includes(name));
  }, { account: () => said });
  assert(line.includes(` 127.0.0.1:${port} `), line);
});

Deno.test("roster --host says that no interface has that address", async () => {
  const { code, stderr } = await runProgram(["roster", "--host", "192.0.2.77"]);
  assertEquals(code, 1);
  assertMatch(stderr, /no network interface that has the address 192.0.2.77/);
});

Deno.test("roster: a wrong address is said in a line; nobody there is said too", async () => {
  const wrong = await runProgram(["roster", "--host", "fe80::1"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /^rolecall: --host must be the IPv4 address/);
  const nowhere = await runProgram(["roster", "--host", "192.0.2.77"]);
  assertEquals(nowhere.code, 1);
  assertMatch(nowhere.stderr, /no network interface/);
  const nobody = await runProgram([
    // Nobody is so quick, whatever other tests run.
    ...["roster", ...HOST, "--only", "demo", "--wait", "1ms"],
  ]);
  assertEquals(nobody.code, 0);
  assertMatch(nobody.stdout, /^no "demo" answers/);
  const { code, stderr } = await runProgram(["roster", "--only", "edg"]);
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /--only must be one of .* got "edg"; did you mean edge\?/,
  );
});
