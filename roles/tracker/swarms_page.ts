import { html } from "hono/html";
import { formatBytes, formatMs } from "../../lib/core/units.ts";
import { formatHostPort } from "../../lib/core/address.ts";
import { fromUtf8, toHex } from "../../lib/core/bytes.ts";
import type {
  SwarmPeerView,
  SwarmView,
} from "../../lib/bittorrent/swarm_table.ts";
import type { FrontDesk } from "./front_desk.ts";

/** What one page shows at most. */
const LIMITS = { swarms: 100, peers: 100 };

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2rem .6rem .2rem 0; }
th { border-bottom: 2px solid #888; } td { border-bottom: 1px solid #ddd; }
.number { text-align: right; font-variant-numeric: tabular-nums; } code { font-size: .9em; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #ddd; } td { border-color: #333; } }
`;

/** Returns the page that shows who is in which swarm; it reloads itself every 5 s. */
export function swarmsPage(
  desk: FrontDesk,
  { names, udpPort, host }: {
    /** Names of torrents by info-hash in hex. */
    readonly names: ReadonlyMap<string, string>;
    readonly udpPort: number;
    /** The authority the reader asked for, which peers on other machines can use as well. */
    readonly host: string;
  },
) {
  const nowMs = desk.nowMs();
  const swarms = desk.table.view(LIMITS, nowMs);
  const name = host.replace(/:[0-9]+$/, "");
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="refresh" content="5">
        <meta name="viewport" content="width=device-width">
        <title>BitTorrent tracker</title>
        <style>${STYLE}</style>
      </head>
      <body>
    <h1>BitTorrent tracker</h1>
    <p>Announce URLs: <code>http://${host}/announce</code> or <code>udp://${name}:${udpPort}/announce</code>.
    Peers announce every ${desk.intervalSeconds} s.</p>
    ${swarms.length === 0
      ? html`<p>No swarm yet: nobody has announced.</p>`
      : swarms.map((swarm) => swarmSection(swarm, { names, nowMs }))}
    ${desk.table.swarmCount > LIMITS.swarms
      ? html`<p>At most ${LIMITS.swarms} swarms are shown.</p>`
      : ""}
      </body>
    </html>
  `;
}

function swarmSection(
  swarm: SwarmView,
  { names, nowMs }: {
    readonly names: ReadonlyMap<string, string>;
    readonly nowMs: number;
  },
) {
  const infoHash = toHex(swarm.infoHash);
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <div>
      <h2>${names.get(infoHash) || "Torrent"} <code>${infoHash}</code></h2>
      <p>Seeders ${swarm.seeders}, leechers ${swarm
        .leechers}, downloads completed ${swarm.completed}</p>
      <table>
    <tr><th>Peer</th><th>Client</th><th class="number">Left</th><th class="number">Downloaded</th><th class="number">Uploaded</th><th class="number">Announced</th></tr>
    ${swarm.peers.map((peer) => peerRow(peer, nowMs))}
      </table>
    </div>
  `;
}

function peerRow(peer: SwarmPeerView, nowMs: number) {
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <tr>
      <td>${formatHostPort(peer)}</td>
      <td><code>${clientOf(peer.peerId)}</code></td>
      <td class="number">${peer.leftBytes === 0
        ? "seed"
        : formatBytes(peer.leftBytes)}</td>
      <td class="number">${formatBytes(peer.downloadedBytes)}</td>
      <td class="number">${formatBytes(peer.uploadedBytes)}</td>
      <td class="number">${formatMs(nowMs - peer.announcedAtMs)} ago</td>
    </tr>
  `;
}

/** The part of a peer id that names the program (BEP 20), such as `-TR3000-`. */
function clientOf(peerId: Uint8Array): string {
  return fromUtf8(peerId.subarray(0, 8)).replace(/[^\x21-\x7e]/g, ".");
}
