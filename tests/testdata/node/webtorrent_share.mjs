/**
 * A webtorrent peer over plain TCP that is told its peers.
 *
 * usage: node webtorrent_share.mjs MODULES PORT TORRENT|MAGNET FOLDER seed|leech [HOST:PORT...]
 * MODULES is the node_modules with webtorrent in it. Prints "metadata" and "complete"; runs until it is killed.
 */
import { readFileSync } from "node:fs";
import { register } from "node:module";
import process from "node:process";

const [modules, port, source, folder, kind, ...peers] = process.argv.slice(2);
// Its WebRTC has a native part that npm's --ignore-scripts leaves out: a stub stands in for it.
const stub = "data:text/javascript," + encodeURIComponent(
  "export class RTCPeerConnection {} export class RTCSessionDescription {} export class RTCIceCandidate {}",
);
register("data:text/javascript," + encodeURIComponent(
  `export const resolve = (name, context, next) => name === "webrtc-polyfill"
    ? { url: ${JSON.stringify(stub)}, shortCircuit: true } : next(name, context);`,
));
const { default: WebTorrent } = await import(`${modules}/webtorrent/index.js`);
const client = new WebTorrent({
  torrentPort: Number(port),
  dht: false,
  lsd: false,
  utp: false,
  webSeeds: false,
  natUpnp: false,
  natPmp: false,
  // Plain connections; it wants encryption first.
  secure: false,
  tracker: { wrtc: false },
});
client.on("error", (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
const torrent = client.add(
  source.startsWith("magnet:") ? source : readFileSync(source),
  { path: folder, skipVerify: kind === "seed" },
);
torrent.on("metadata", () => process.stdout.write("metadata\n"));
torrent.on("done", () => process.stdout.write("complete\n"));
torrent.on("infoHash", () => {
  for (const peer of peers) torrent.addPeer(peer);
});
