// deno-lint-ignore-file no-console -- a tool for the terminal
// npm's bittorrent-tracker, as a server or as a client. Its WebRTC part needs a native binary and is left out.
//
// usage: bittorrent_tracker.mjs MODULES server PORT
//        bittorrent_tracker.mjs MODULES client ANNOUNCE-URL INFO-HASH PORT
// The server prints "listening"; the client announces and scrapes, prints what it was told as one JSON document, and leaves.
import { register } from "node:module";
import process from "node:process";

const [modules, mode, ...args] = process.argv.slice(2);
const stub =
  "export const RTCPeerConnection = null, RTCSessionDescription = null, RTCIceCandidate = null;";
register("data:text/javascript," + encodeURIComponent(`
export function resolve(specifier, context, next) {
  return specifier === "webrtc-polyfill"
    ? { url: "data:text/javascript,${encodeURIComponent(stub)}", shortCircuit: true }
    : next(specifier, context);
}`));
const load = async (file) =>
  (await import(`file://${modules}/bittorrent-tracker/${file}`)).default;

if (mode === "server") {
  const Server = await load("server.js");
  const server = new Server({ udp: true, http: true, ws: false, stats: false });
  for (const type of ["error", "warning"]) {
    server.on(type, (error) => console.error(type, error.message));
  }
  server.listen(Number(args[0]), "127.0.0.1", () => console.log("listening"));
} else {
  const Client = await load("client.js");
  const [announce, infoHash, port] = args;
  const told = { peers: [] };
  const client = new Client({
    ...{ infoHash, announce: [announce], port: Number(port) },
    peerId: new TextEncoder().encode("-NT0001-abcdefghijkl"),
  });
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    console.log(JSON.stringify(told));
    client.stop();
    setTimeout(() => process.exit(0), 300);
  };
  client.on("error", (error) => {
    told.error = error.message;
    end();
  });
  client.on("warning", (error) => {
    told.warning = error.message;
    end();
  });
  client.on("peer", (peer) => told.peers.push(peer));
  client.on("update", ({ complete, incomplete }) => {
    if (told.update !== undefined) return;
    told.update = { complete, incomplete };
    client.scrape();
  });
  client.on("scrape", ({ complete, incomplete, downloaded }) => {
    told.scrape = { complete, incomplete, downloaded };
    end();
  });
  client.start({ left: 5 });
}
