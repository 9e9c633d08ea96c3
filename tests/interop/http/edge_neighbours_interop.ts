/** Our edge between the servers others run: nginx as its origin, nginx and Varnish in front of it and behind it, wget at the end. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { equalBytes } from "../../../lib/core/bytes.ts";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import { untilListening } from "../../support/eventually.ts";
import { noise } from "../../support/noise.ts";
import { runTool, temporaryFolder } from "../../support/program.ts";
import { freePort, startTool } from "../../support/tools.ts";

/** Runs a server until disposed of; returns when it accepts connections. */
async function startServer(
  command: string,
  args: readonly string[],
  port: number,
) {
  const server = startTool([command, ...args], { stop: "SIGTERM" });
  await untilListening(port);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** nginx with one server whose `location /` is `rule`. */
async function startNginx(folder: string, rule: string) {
  const port = freePort();
  const own = join(folder, `nginx-${port}`);
  await Deno.mkdir(own, { recursive: true });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${own}/${name};`).join(" ");
  const config = `${own}/nginx.conf`;
  await Deno.writeTextFile(
    config,
    `daemon off; pid ${own}/pid; error_log ${own}/error.log; user root;
events {}
http {
  access_log off; ${temporary}
  proxy_cache_path ${own}/cache keys_zone=one:1m;
  server { listen 127.0.0.1:${port}; location / { ${rule} } }
}`,
  );
  return await startServer(
    "nginx",
    ["-c", config, "-e", `${own}/error.log`],
    port,
  );
}

/** What nginx does in front of another server: it caches. */
function proxyTo(url: string): string {
  return `proxy_pass ${url}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache one; proxy_cache_revalidate on;`;
}

async function startVarnish(folder: string, backend: string) {
  const port = freePort();
  return await startServer("varnishd", [
    "-F",
    "-a",
    `127.0.0.1:${port}`,
    "-b",
    new URL(backend).host,
    "-n",
    join(folder, `varnish-${port}`),
    "-s",
    "malloc,16m",
    "-j",
    "none",
  ], port);
}

async function wget(url: string, file: string, ...flags: string[]) {
  const { code, stderr } = await runTool("wget", [
    "-S",
    "-nv",
    ...flags,
    "-O",
    file,
    url,
  ]);
  return { code, heads: stderr };
}

Deno.test("edge keeps what nginx serves, for wget, also to go on with a download", async () => {
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o755);
  const bytes = noise(1_500_000, 8);
  const root = join(folder.path, "root");
  await Deno.mkdir(root);
  await Deno.writeFile(join(root, "film.bin"), bytes);
  await using nginx = await startNginx(
    folder.path,
    `root ${root}; expires 1h;`,
  );
  const { program, url } = await startEdge([nginx.url], ["--name", "e"]);
  await using _edge = program;
  const copy = join(folder.path, "copy");
  const first = await wget(`${url}/film.bin`, copy);
  assertMatch(first.heads, /cache-status: e; fwd=uri-miss; stored/i);
  assert(equalBytes(await Deno.readFile(copy), bytes));
  await Deno.truncate(copy, 700_000);
  const rest = await wget(`${url}/film.bin`, copy, "-c");
  assertMatch(rest.heads, /206 Partial Content[\s\S]*cache-status: e; hit/i);
  assert(equalBytes(await Deno.readFile(copy), bytes));
  const fetches = program.events.filter(({ type }) => type === "edge.fetched");
  assertEquals(fetches.length, 1);
});

Deno.test("edge behind and in front of nginx and Varnish: one fetch, right bytes, honest ages", async () => {
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o755);
  const body = new Uint8Array(300_000).map((_, at) => at * 7 + (at >> 8));
  await using origin = countingOrigin(() =>
    new Response(body, {
      headers: {
        "cache-control": "max-age=600",
        "accept-ranges": "bytes",
        age: "100",
        etag: '"1"',
      },
    })
  );
  const inner = await startEdge([origin.url], ["--name", "inner"]);
  await using _inner = inner.program;
  await using nginx = await startNginx(folder.path, proxyTo(inner.url));
  await using varnish = await startVarnish(folder.path, inner.url);
  for (const [index, server] of [nginx, varnish].entries()) {
    const outer = await startEdge([server.url], ["--name", "outer"]);
    await using _outer = outer.program;
    // Through the server in front, then through another edge of ours before it.
    for (const url of [server.url, outer.url, outer.url]) {
      const answer = await fetch(`${url}/film-${index}`);
      assert(equalBytes(await answer.bytes(), body), url);
      const age = Number(answer.headers.get("age") ?? 100);
      assert(age >= 100 && age < 160, `${url}: Age ${age}`);
      const part = await fetch(`${url}/film-${index}`, {
        headers: { range: "bytes=1000-1999" },
      });
      assert(equalBytes(await part.bytes(), body.subarray(1000, 2000)));
    }
    const again = await fetch(`${outer.url}/film-${index}`, {
      headers: { "if-none-match": '"1"' },
    });
    assertEquals(again.status, 304);
    assertMatch(
      again.headers.get("cache-status")!,
      /^inner; fwd=uri-miss; .*, outer; hit; /,
    );
    assertMatch(again.headers.get("via")!, /1\.1 inner.*1\.1 outer$/);
    assertEquals(origin.count(`/film-${index}`), 1);
  }
});
