/** The player's part in a swarm with a real client: libtorrent seeds a title, and the player has its segments from there. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { startLibtorrent } from "../../support/libtorrent.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

Deno.test("dash-client --cooperate has segments of the built-in title from a libtorrent seed", async () => {
  await using folder = await temporaryFolder();
  await using origin = await startProgram([
    ..."origin --host 127.0.0.1 --port 0 --duration 20s --segment 2s".split(
      " ",
    ),
    ...["--ladder", "360p@200k,480p@600k"],
  ]);
  const { port } = await origin.until("role.listening");
  const site = `http://127.0.0.1:${port}`;
  const save = async (name: string, at: string) => {
    const response = await fetch(`${site}/${name}`);
    assertEquals(response.status, 200, name);
    await Deno.writeFile(at, new Uint8Array(await response.arrayBuffer()));
  };
  const torrent = join(folder.path, "manifest.torrent");
  await save("manifest.torrent", torrent);
  const shown = await runProgram(["peer", "--inspect", torrent, "--json"]);
  const { files } = JSON.parse(shown.stdout) as {
    readonly files: readonly {
      readonly path: string;
      readonly padding: boolean;
    }[];
  };
  await Deno.mkdir(join(folder.path, "Test card"));
  for (const { path, padding } of files) {
    if (padding) continue;
    await save(path.slice("Test card/".length), join(folder.path, path));
  }
  await using theirs = await startLibtorrent({
    ...{ torrent, folder: folder.path, seed: true },
  });
  const run = await runProgram([
    ...["dash-client", `${site}/manifest.mpd`, "--cooperate"],
    ...["--peer", `127.0.0.1:${theirs.port}`],
    ..."--speed 5 --buffer 6s --abr fixed --json".split(" "),
  ]);
  assertEquals(run.code, 0, run.stderr);
  const { sharing, segments } = JSON.parse(run.stdout);
  assert(sharing.peerBytes > 0, run.stderr);
  assert(
    segments.some((each: { readonly server: string }) =>
      each.server === "peers"
    ),
    run.stderr,
  );
});
