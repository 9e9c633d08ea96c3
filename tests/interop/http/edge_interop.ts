/** Other people's programs around our edge: curl in front of it, Python's http.server behind it, and our own origin with its manifest. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { equalBytes } from "../../../lib/core/bytes.ts";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import { eventually } from "../../support/eventually.ts";
import { noise } from "../../support/noise.ts";
import { startOrigin } from "../../support/origin.ts";
import { runTool, temporaryFolder } from "../../support/program.ts";

async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool("curl", ["-sS", ...args]);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

/** Python's http.server on a free port, counting what it was asked by its log. */
async function startPython(folder: string) {
  const child = new Deno.Command("python3", {
    args: ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
    cwd: folder,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const piece of stream) log += new TextDecoder().decode(piece);
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const [, port] = await eventually(() => /port (\d+)/.exec(log), {
    account: () => `no port in: ${log}`,
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

Deno.test("edge caches what Python's http.server serves, and revalidates it, for curl", async () => {
  await using folder = await temporaryFolder();
  const bytes = noise(3_000_000, 3);
  await Deno.writeFile(`${folder.path}/movie.bin`, bytes);
  // Ten days old: by RFC 9111 §4.2.2 good for a day without asking.
  const old = new Date(Date.now() - 10 * 86_400_000);
  await Deno.utime(`${folder.path}/movie.bin`, old, old);
  await using python = await startPython(folder.path);
  const { program, url } = await startEdge([python.url], ["--name", "edge-1"]);
  await using _edge = program;
  const copy = `${folder.path}/copy`;
  const heads: string[] = [];
  for (let n = 0; n < 3; n++) {
    heads.push(await curl("-D-", "-o", copy, `${url}/movie.bin`));
    assert(equalBytes(await Deno.readFile(copy), bytes));
  }
  assertMatch(heads[0]!, /^cache-status: edge-1; fwd=uri-miss; stored; ttl=/m);
  assertMatch(heads[2]!, /^cache-status: edge-1; hit; ttl=8\d{4}; /m);
  assertMatch(heads[2]!, /^age: \d+\r$/m);
  assertMatch(heads[2]!, /^content-length: 3000000\r$/m);
  await curl("-r", "1000000-1999999", "-o", copy, `${url}/movie.bin`);
  assert(equalBytes(await Deno.readFile(copy), bytes.subarray(1e6, 2e6)));
  assertEquals(python.log().match(/"GET \/movie\.bin/g)?.length, 1);
  const checked = await curl(
    "-D-",
    "-o",
    copy,
    "-H",
    "Cache-Control: no-cache",
    `${url}/movie.bin`,
  );
  assertMatch(checked, /^cache-status: edge-1; fwd=request; fwd-status=304; /m);
  assert(equalBytes(await Deno.readFile(copy), bytes));
  assertMatch(python.log(), /"GET \/movie\.bin HTTP\/1\.1" 304/);
  const head = await curl("-I", `${url}/movie.bin`);
  assertMatch(head, /^content-length: 3000000\r$/m);
  const missing = await curl("-D-", "-o", copy, `${url}/nothing`);
  assertMatch(missing, /^HTTP\/1\.1 404 /);
});

Deno.test("edge is no open proxy for curl -x, and never leaves its origin", async () => {
  await using origin = countingOrigin(() => new Response("origin"));
  await using elsewhere = countingOrigin(() => new Response("elsewhere"));
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  for (const target of [`${elsewhere.url}/a`, `${elsewhere.url}//b`]) {
    await runTool("curl", ["-sS", "-x", url, target]);
  }
  await curl("--path-as-is", `${url}//127.0.0.1:${elsewhere.port}/c`);
  const tunnel = await runTool("curl", ["-sS", "-p", "-x", url, elsewhere.url]);
  assert(tunnel.code !== 0);
  assertEquals(elsewhere.requests.length, 0);
});

Deno.test("edge in front of edge carries our origin's title to curl", async () => {
  const origin = await startOrigin();
  await using _origin = origin.program;
  const parent = await startEdge([`${origin.url}/`], ["--name", "edge-1"]);
  await using _parent = parent.program;
  const child = await startEdge([parent.url], ["--name", "edge-2"]);
  await using _child = child.program;
  await using folder = await temporaryFolder();
  const files: Uint8Array[] = [];
  for (const base of [origin.url, child.url, child.url]) {
    const file = `${folder.path}/${files.length}`;
    await curl("-f", "-o", file, `${base}/manifest.mpd`);
    files.push(await Deno.readFile(file));
  }
  assert(files[0]!.length > 0);
  assert(files.every((bytes) => equalBytes(bytes, files[0]!)));
  const head = await curl("-I", `${child.url}/manifest.mpd`);
  assertMatch(head, /^via: 1\.1 edge-1, 1\.1 edge-2\r$/m);
});
