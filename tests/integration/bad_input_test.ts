/** What a person gets for a mistake: one clear line, the exit code of the contract, never a stack trace. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { runProgram, temporaryFolder } from "../support/program.ts";
import { freePort } from "../support/tools.ts";

/** Fails unless the program ends with `code` and says one line that has every word of `words`; after bad usage there is no other. */
async function complains(
  args: readonly string[],
  code: number,
  ...words: readonly string[]
): Promise<void> {
  const { code: got, stdout, stderr } = await runProgram(args);
  const lines = stderr.split("\n").filter((line) =>
    line.startsWith("rolecall: ")
  );
  const all = `${args.join(" ")}\n${stdout}${stderr}`;
  assertEquals([got, lines.length], [code, 1], all);
  if (code === 2) assertEquals(stderr, `${lines[0]}\n`);
  for (const word of words) assertStringIncludes(lines[0]!, word);
  assert(!/\n\s+at |Warning/.test(stderr), all);
}

Deno.test("an unknown role, flag or value is bad usage and names the nearest", async () => {
  await complains(["udp-eco"], 2, "udp-eco", "udp-echo");
  await complains(["UDP-Echo"], 2, "UDP-Echo", "udp-echo");
  await complains(["--role", "pear"], 2, "pear", "peer");
  await complains(["tcp-echo", "--prot", "1"], 2, "--prot", "--port");
  await complains(["tcp-echo", "--port", "70000"], 2, "--port", "70000");
  await complains(["tcp-echo", "--config", "/nothing/here"], 2, "/nothing");
  await complains(["--role"], 2, "role");
  await complains(["demo", "nothing"], 2, "nothing", "all");
});

Deno.test("a port in use is a failure that names the port", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String((taken.addr as Deno.NetAddr).port);
  for (const role of ["tcp-echo", "tracker", "origin"]) {
    await complains(
      [role, "--host", "127.0.0.1", "--port", port],
      1,
      `127.0.0.1:${port}`,
      "in use",
    );
  }
});

Deno.test("files that are not what they should be are bad input", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "notes.txt");
  await Deno.writeTextFile(file, "these are\nno bencoded bytes");
  await complains(["peer", file], 2, "notes.txt");
  await complains(["peer", join(folder.path, "missing.torrent")], 2, "missing");
  await complains(
    ["dns-redirector", "--zone", file, "--port", "0"],
    2,
    "notes",
  );
  await complains(["demo", file], 2, "notes.txt");
  await complains(["udp-echo", "--config", file], 2, "notes.txt");
  const inTheWay = ["notes.txt", "a file of that name is in the way"];
  await complains(["roster", "--out", file], 1, ...inTheWay);
});

Deno.test("an MPD that is no XML, or is not there, is told apart", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const body = new Map([
        ["/", "<!doctype html><title>A page</title>"],
        ["/a.m3u8", "#EXTM3U\n"],
        ["/none", ""],
        ["/text.mpd", "this is no XML"],
        ["/torn.mpd", '<?xml version="1.0"?><MPD type="static"'],
      ]).get(new URL(request.url).pathname);
      return body === undefined
        ? new Response("no such title", { status: 404 })
        : new Response(body);
    },
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  const refuses = (path: string, ...words: readonly string[]) =>
    complains(["dash-client", `${base}${path}`], 2, path, ...words);
  await refuses("/text.mpd", "no manifest (MPD); line 1");
  await refuses("/", "it is a page and no manifest (MPD)");
  await refuses("/a.m3u8", "it is an HLS playlist and no manifest (MPD)");
  await refuses("/none", "it is empty and no manifest (MPD)");
  await refuses("/torn.mpd", "torn.mpd: line 1");
  await complains(["dash-client", `${base}/none.mpd`], 1, "none.mpd", "404");
});

Deno.test("a host that does not exist, or where nobody listens, is named with the reason", async () => {
  await complains(
    ["dash-client", "http://no.such.host.invalid/a.mpd"],
    1,
    "no.such.host.invalid",
    "no such host",
  );
  await complains(
    ["udp-echo", "--host", "no.such.host.invalid"],
    1,
    "listen on udp no.such.host.invalid:12000: there is no such address or host",
  );
  const url = `http://127.0.0.1:${freePort()}/a.mpd`;
  await complains(["dash-client", url], 1, url, "nobody listens");
});
