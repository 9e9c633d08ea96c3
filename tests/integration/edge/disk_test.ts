/** The edge's disk tier: `--cache-dir`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { equalBytes } from "../../../lib/core/bytes.ts";
import { countingOrigin } from "../../support/counting_origin.ts";
import { BODY, startEdge } from "../../support/edge.ts";
import { eventually } from "../../support/eventually.ts";
import { runProgram, temporaryFolder } from "../../support/program.ts";

/** Another body for each path; two are longer than a checksum's reach. */
function bodyOf(path: string): Uint8Array<ArrayBuffer> {
  const times = path === "/large" ? 5 : 1;
  const bytes = new Uint8Array(times * BODY.length);
  for (let at = 0; at < times; at++) bytes.set(BODY, at * BODY.length);
  return bytes.map((byte, at) => byte ^ path.charCodeAt(at % path.length));
}

function startOrigin() {
  return countingOrigin((path, { method }) =>
    new Response(method === "GET" ? bodyOf(path) : "done", {
      headers: { "cache-control": "max-age=3600" },
    })
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) continue;
    for await (const file of Deno.readDir(`${folder}/${name}`)) {
      paths.push(`${folder}/${name}/${file.name}`);
    }
  }
  return paths.sort();
}

/** Waits until the folder holds what `matches`: the edge writes behind the clients' backs. */
async function untilFiles(
  folder: string,
  matches: (paths: readonly string[]) => boolean,
): Promise<string[]> {
  let paths: string[] = [];
  return await eventually(async () => {
    paths = await filesIn(folder);
    return matches(paths) && paths;
  }, { account: () => `files: ${paths.join()}` });
}

/** Waits until the process has no file of the folder open, where the system tells. */
async function untilClosed(pid: number, folder: string): Promise<void> {
  if (Deno.build.os !== "linux") return;
  let open = 0;
  await eventually(async () => {
    open = 0;
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      try {
        const target = await Deno.readLink(`/proc/${pid}/fd/${name}`);
        const isCached = target.endsWith(".cached");
        if (target.startsWith(folder) && isCached) open += 1;
      } catch { /* It was closed just now. */ }
    }
    return open === 0;
  }, { account: () => `${open} files stay open` });
}

const areWritten = (count: number) => (paths: readonly string[]) =>
  paths.length === count && paths.every((path) => path.endsWith(".cached"));

async function get(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  assertEquals(response.status, 200);
  return await response.bytes();
}

/** The file that holds the response to `path`. */
async function fileOf(paths: readonly string[], path: string) {
  for (const name of paths) {
    const text = new TextDecoder().decode(await Deno.readFile(name));
    if (text.includes(`"key":"${path}"`)) return name;
  }
  throw new Error(`no file for ${path}`);
}

Deno.test("edge that was killed has its disk tier again, but what was torn or damaged", async () => {
  await using folder = await temporaryFolder();
  await using origin = startOrigin();
  const flags = ["--cache-dir", folder.path, "--disk-size", "64MiB"];
  const paths = ["/good", "/large", "/torn", "/damaged"];
  {
    const { program, url } = await startEdge([origin.url], flags);
    await using _edge = program;
    for (const path of paths) {
      assert(equalBytes(await get(url + path), bodyOf(path)));
    }
    await untilFiles(folder.path, areWritten(4));
    const { code, stderr } = await runProgram(
      ["edge", "--port", "0", "--origin", origin.url, ...flags],
    );
    assertEquals(code, 1);
    assertMatch(stderr, /^[^\n]* another edge has it[^\n]*\n$/);
    Deno.kill(program.pid, "SIGKILL");
    await program.exited;
  }
  const files = await filesIn(folder.path);
  const torn = await fileOf(files, "/torn");
  await Deno.truncate(torn, 1000);
  await Deno.writeFile(
    `${torn}.0123456789abcdef.rolecall.tmp`,
    new Uint8Array(9),
  );
  const damaged = await fileOf(files, "/damaged");
  const bytes = await Deno.readFile(damaged);
  bytes[bytes.length - 7]! ^= 1;
  await Deno.writeFile(damaged, bytes);
  await Deno.writeTextFile(`${folder.path}/mine.txt`, "not the edge's");

  // Half of this memory is less than /large: that is read where it is.
  const { program, url } = await startEdge(
    [origin.url],
    [...flags, "--cache-size", "4MiB"],
  );
  await using _edge = program;
  const restored = await program.until("cache.restored");
  assertEquals([restored.objects, restored.removed], [3, 2]);
  for (const path of paths) {
    assert(equalBytes(await get(url + path), bodyOf(path)), path);
  }
  assertEquals(paths.map((path) => origin.count(path)), [1, 1, 2, 2]);
  const event = await program.until("cache.damaged");
  assertEquals(event.path, "/damaged");
  const hit = await fetch(`${url}/large`, {
    headers: { range: "bytes=2000000-2000009" },
  });
  assertEquals(
    await hit.bytes(),
    bodyOf("/large").slice(2_000_000, 2_000_010),
  );
  assertEquals(origin.count("/large"), 1);
  await untilClosed(program.pid, folder.path);
  assertEquals(
    await Deno.readTextFile(`${folder.path}/mine.txt`),
    "not the edge's",
  );
  assertEquals((await program.stop()).code, 0);
});

Deno.test("edge serves from disk what memory has lost, to many at once, and forgets there too", async () => {
  await using folder = await temporaryFolder();
  await using origin = startOrigin();
  // Memory for three, disk for eight, of twelve.
  const flags = [
    "--cache-dir",
    folder.path,
    "--cache-size",
    "1600KiB",
    "--disk-size",
    "4200KiB",
  ];
  const { program, url } = await startEdge([origin.url], flags);
  await using _edge = program;
  for (const [at, path] of ["/a", "/b", "/c", "/d", "/e", "/f"].entries()) {
    await get(url + path);
    // Little may wait for the disk where the memory is little.
    await untilFiles(folder.path, areWritten(at + 1));
  }
  const bodies = await Promise.all(
    Array.from({ length: 30 }, () => get(`${url}/a`)),
  );
  assert(bodies.every((body) => equalBytes(body, bodyOf("/a"))));
  assertEquals(origin.count("/a"), 1);
  await untilClosed(program.pid, folder.path);
  // An unsafe method makes it invalid on the disk too.
  await (await fetch(`${url}/a`, { method: "POST", body: "x" })).bytes();
  await untilFiles(folder.path, areWritten(5));
  assert(equalBytes(await get(`${url}/a`), bodyOf("/a")));
  assertEquals(origin.count("/a"), 3);
  await untilFiles(folder.path, areWritten(6));
  for (const [at, path] of ["/g", "/h"].entries()) {
    await get(url + path);
    await untilFiles(folder.path, areWritten(7 + at));
  }
  for (const path of ["/i", "/j", "/k", "/l"]) await get(url + path);
  // It ends when all is written and removed.
  assertEquals((await program.stop()).code, 0);
  const files = await filesIn(folder.path);
  const sizes = files.map((path) => Deno.statSync(path).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert(bytes <= 4200 * 1024 && files.length >= 7, sizes.join());
});

Deno.test("edge that cannot write its cache folder says so in one line", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const { code, stderr } = await runProgram([
    "edge",
    "--port",
    "0",
    "--origin",
    "http://127.0.0.1:1",
    "--cache-dir",
    `${folder.path}/file`,
  ]);
  assertEquals(code, 1);
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
});
