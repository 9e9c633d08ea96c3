/**
 * Real clients at our tracker: aria2 and Transmission announce, get each other and share a file; curl reads page and
 * scrape. Each runs in a network namespace of its own, since Transmission takes no peers on 127/8. Needs root.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { decodeScrapeReply } from "../../../lib/bittorrent/tracker/http/client.ts";
import { escapeBytes } from "../../../lib/bittorrent/tracker/http/messages.ts";
import { makeMetainfo } from "../../../lib/bittorrent/metainfo/make_metainfo.ts";
import { parseMetainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import { concat, toHex } from "../../../lib/core/bytes.ts";
import { hashing, sha1 } from "../../../lib/io/hash.ts";
import { type Host, makeHosts } from "../../support/namespaces.ts";
import { noise } from "../../support/noise.ts";
import {
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { startHeardTool } from "../../support/tools.ts";
import { startTransmission } from "../../support/transmission.ts";

const NAME = "shared.bin";
/** As on the slides. */
const PIECE_LENGTH = 256 * 1024;
const SIZE_BYTES = 3 * PIECE_LENGTH + 1000;

/** Makes a file of random bytes and the torrent of it. */
function makeTorrent(announce: string) {
  const content = noise(SIZE_BYTES, 8);
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < SIZE_BYTES; at += PIECE_LENGTH) {
    hashes.push(sha1(content.subarray(at, at + PIECE_LENGTH)));
  }
  const torrent = makeMetainfo({
    name: NAME,
    content: SIZE_BYTES,
    pieceLength: PIECE_LENGTH,
    pieces: concat(...hashes),
    announceList: [[announce]],
    private: true,
  });
  const { infoHash } = parseMetainfo(torrent, hashing);
  return { content, torrent, infoHash };
}

/**
 * aria2 that downloads `torrent` into `folder`. Its UDP trackers share the DHT's socket and need it on; the torrent is
 * private, so that all the same peers come from the tracker only.
 */
function startAria2(host: Host, folder: string, torrent: string) {
  return startHeardTool([
    ...host.inside,
    "aria2c",
    ...["--no-conf", "--enable-dht=true", "--enable-dht6=false"],
    ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
    ...["--file-allocation=none", "--seed-ratio=0.0", "--listen-port=6881"],
    ...["--dht-listen-port=6881", `--dht-file-path=${folder}/dht.dat`],
    ...["--summary-interval=0", `--dir=${folder}`, torrent],
  ], { stop: "SIGTERM" });
}

async function fileIs(path: string, content: Uint8Array): Promise<boolean> {
  return toHex(sha1(await Deno.readFile(path))) === toHex(sha1(content));
}

for (const scheme of ["http", "udp"]) {
  Deno.test(`tracker brings aria2 and Transmission together over ${scheme}`, async () => {
    await using folder = await temporaryFolder();
    await using network = await makeHosts(3, {
      id: scheme === "http" ? "th" : "tu",
      net: scheme === "http" ? 21 : 22,
    });
    const [first, second, third] = network.hosts as [Host, Host, Host];
    const { content, torrent, infoHash } = makeTorrent(
      `${scheme}://${first.address}:6969/announce`,
    );
    const file = join(folder.path, "shared.torrent");
    const leech = join(folder.path, "leech");
    const seed = join(folder.path, "seed");
    await Deno.mkdir(leech);
    await Deno.mkdir(seed);
    await Deno.writeFile(file, torrent);
    await Deno.writeFile(join(seed, NAME), content);

    await using tracker = await startProgram(
      ["tracker", "--interval", "5s"],
      { inside: first.inside },
    );
    await tracker.until("role.listening", (e) => e.transport === "udp");
    await using aria2 = startAria2(second, leech, file);
    await tracker.until("tracker.announced", (e) => e.host === second.address);
    await using transmission = await startTransmission(third, {
      torrent: file,
      folder: seed,
      config: join(folder.path, "transmission"),
    });
    const met = await tracker.until(
      "tracker.announced",
      (e) => e.host === third.address && e.peers === 1,
    );
    assertEquals([met.transport, met.infoHash], [scheme, toHex(infoHash)]);
    assertEquals(met.port, 51413);
    const completed = () =>
      tracker.until(
        "tracker.announced",
        (e) => e.host === second.address && e.announceEvent === "completed",
      );
    // Transmission sends its first byte after 12 s; on a busy machine both may take longer than one wait.
    const done = await completed().catch(completed).catch((error) => {
      throw new Error(
        `${error}\n${aria2.said()}\n${transmission.said()}`,
      );
    });
    assertEquals([done.transport, done.peers, done.leftBytes], [scheme, 1, 0]);
    assert(await fileIs(join(leech, NAME), content));

    await curlReads(second, first.address, infoHash);
    // Ctrl-C lets aria2 say goodbye; SIGTERM does not, and Transmission does not always.
    await aria2.end("SIGINT");
    await tracker.until(
      "tracker.announced",
      (e) => e.host === second.address && e.announceEvent === "stopped",
    );
    const refused = tracker.events.filter((e) =>
      e.type === "tracker.refused" || e.type === "protocol.violated"
    );
    assertEquals(refused, []);
  });
}

/** curl gets the page and a scrape from the host `at`. */
async function curlReads(
  at: Host,
  tracker: string,
  infoHash: Uint8Array,
): Promise<void> {
  const curl = async (url: string) => {
    const [program, ...inside] = [...at.inside, "curl"];
    const { code, stdout } = await runTool(program!, [
      ...inside,
      ...["--silent", "--fail", "--show-error", url],
    ]);
    assertEquals(code, 0);
    return stdout;
  };
  const page = await curl(`http://${tracker}:6969/`);
  assert(page.includes(toHex(infoHash)) && page.includes(at.address), page);
  await using folder = await temporaryFolder();
  const saved = join(folder.path, "scrape");
  const query = `info_hash=${escapeBytes(infoHash)}`;
  await runTool(at.inside[0]!, [
    ...at.inside.slice(1),
    ...["curl", "--silent", "--fail", "--output", saved],
    `http://${tracker}:6969/scrape?${query}`,
  ]);
  assertEquals(decodeScrapeReply(await Deno.readFile(saved)), [
    { infoHash, seeders: 2, leechers: 0, completed: 1 },
  ]);
}
