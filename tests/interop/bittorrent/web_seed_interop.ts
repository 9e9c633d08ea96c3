/**
 * Web seeds (BEP 19) with real software: our peer downloads from nginx; aria2 and libtorrent download a torrent of ours
 * from our origin, with no peer in the swarm.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { untilListening } from "../../support/eventually.ts";
import { startLibtorrent } from "../../support/libtorrent.ts";
import { assertSameFiles, writeNoise } from "../../support/noise.ts";
import { startOrigin } from "../../support/origin.ts";
import { runProgram, runTool, temporaryFolder } from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];
const FILES: Readonly<Record<string, number>> = {
  "course/big file": 5_000_001,
  "course/sub/small": 70_000,
};

/** A folder with a course in it, and how to make a torrent of it or of one file that names a web seed. */
async function makeSetting() {
  const folder = await temporaryFolder();
  const seed = join(folder.path, "seed");
  await writeNoise(seed, FILES, 14);
  const torrent = join(folder.path, "course.torrent");
  return {
    ...{ path: folder.path, seed, torrent },
    async make(webSeed: string, source = "course"): Promise<void> {
      const { code, stderr } = await runProgram([
        ...["peer", "--create", join(seed, source), "-o", torrent],
        ...["--piece-length", "64KiB", "--web-seed", webSeed],
      ]);
      assertEquals(code, 0, stderr);
    },
    assertSame: (leech: string) =>
      assertSameFiles(Object.keys(FILES), seed, leech),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** nginx, serving a folder on a port of loopback. */
async function startNginx(folder: string, root: string) {
  const port = 20_000 + Deno.pid % 10_000;
  const config = join(folder, "nginx.conf");
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(
    config,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; user root;
events {}
http {
  access_log ${folder}/access.log;
  ${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")
    }
  server { listen 127.0.0.1:${port}; root ${root}; }
}`,
  );
  const child = new Deno.Command("nginx", {
    args: ["-c", config, "-e", join(folder, "error.log")],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await untilListening(port);
  return {
    url: `http://127.0.0.1:${port}/`,
    requests: async () =>
      (await Deno.readTextFile(join(folder, "access.log"))).trim().split("\n"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

Deno.test("peer downloads a folder and a file from nginx, many pieces a request", async () => {
  await using setting = await makeSetting();
  const { path, seed, torrent } = setting;
  await using nginx = await startNginx(path, seed);
  const leech = join(path, "leech");
  const download = async (folder: string) => {
    const { code, stderr } = await runProgram([
      ...["peer", torrent, "--dir", folder, ...LOCAL, "--dht", "off"],
      "--exit-when-complete",
    ]);
    assertEquals(code, 0, stderr);
  };
  await setting.make(nginx.url);
  await download(leech);
  await setting.assertSame(leech);
  const requests = await nginx.requests();
  // 78 pieces, but a probe and a few runs.
  assertEquals(requests.length < 10, true, requests.join("\n"));
  for (const url of ["course/", "course/big%20file"]) {
    await setting.make(nginx.url + url, "course/big file");
    const folder = await Deno.makeTempDir({ dir: path });
    await download(folder);
    assertEquals(
      await Deno.readFile(join(folder, "big file")),
      await Deno.readFile(join(seed, "course", "big file")),
    );
  }
});

Deno.test("aria2 downloads a torrent of ours from our origin as its web seed", async () => {
  await using setting = await makeSetting();
  const { program, url } = await startOrigin("--root", setting.seed);
  await using _ = program;
  await setting.make(`${url}/`);
  const leech = join(setting.path, "leech");
  const { code, stdout, stderr } = await runTool("aria2c", [
    ...["--no-conf", "--enable-dht=false", "--enable-dht6=false"],
    ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
    ...["--seed-time=0", "--file-allocation=none", "--summary-interval=0"],
    ...[`--dir=${leech}`, setting.torrent],
  ]);
  assertEquals(code, 0, stdout + stderr);
  await setting.assertSame(leech);
});

Deno.test("libtorrent downloads a torrent of ours from our origin as its web seed", async () => {
  await using setting = await makeSetting();
  const { program, url } = await startOrigin("--root", setting.seed);
  await using _ = program;
  await setting.make(`${url}/`);
  const leech = join(setting.path, "leech");
  await using theirs = await startLibtorrent({
    ...{ torrent: setting.torrent, folder: leech, seed: false },
  });
  const late = setTimeout(() => theirs[Symbol.asyncDispose](), 60_000);
  const { code, log } = await theirs.ended;
  clearTimeout(late);
  assertEquals(code, 0, log.slice(-4000));
  await setting.assertSame(leech);
});
