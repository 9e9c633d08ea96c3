import { html, raw } from "hono/html";
import { formatBytes, formatMs } from "../../lib/core/units.ts";
import { formatAddress, formatHostPort } from "../../lib/core/address.ts";
import { fromUtf8, toHex, viewOf } from "../../lib/core/bytes.ts";
import { PAGE_STYLE } from "../../lib/report/page_style.ts";
import type { PeerView } from "../../lib/bittorrent/tracker/table/peer_record.ts";
import type { SwarmView } from "../../lib/bittorrent/tracker/table/messages.ts";
import type { FrontDesk } from "./front_desk.ts";

/** Most swarms on the page. */
const MAX_SWARMS = 100;
/** Most peers of a swarm. */
const MAX_PEERS = 100;
/** Most peers on the page, so that making it holds no announce up for long: the more swarms, the fewer of each. */
const MAX_ROWS = 1000;
/** A peer that lacks more knows no size yet: with a magnet link, Transmission says 2^63 - 1. */
const MAX_SIZE_BYTES = 2 ** 53;

const STYLE = `${PAGE_STYLE}
h2 { font-size: 1.1rem; margin: 2rem 0 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2rem .6rem .2rem 0; }
th { border-bottom: 2px solid var(--muted); } td { border-bottom: 1px solid var(--rule); }
dl { display: flex; flex-wrap: wrap; gap: .8rem 2rem; } dt { font-size: .85rem; color: var(--muted); } dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } code { font-size: .9em; } td code { white-space: nowrap; }
`;

/** What the page tells beside what the desk knows. */
export interface PageContent {
  /** Names of torrents by info-hash in hex. */
  readonly names: () => ReadonlyMap<string, string>;
  readonly udpPort: number;
  /** The authority the reader asked for, which peers on other machines can use as well. */
  readonly host: string;
}

/** Returns the page that shows who is in which swarm; it reloads itself every 5 s. */
export function swarmsPage(desk: FrontDesk, content: PageContent) {
  const { udpPort, host } = content;
  const nowMs = desk.nowMs();
  const names = content.names();
  const shown = Math.min(desk.table.swarmCount, MAX_SWARMS);
  const swarms = desk.table.view({
    swarms: shown,
    peers: Math.min(MAX_PEERS, Math.ceil(MAX_ROWS / shown)),
  }, nowMs);
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
        <style>${raw(STYLE)}</style>
      </head>
      <body>
      <main>
    <h1>BitTorrent tracker</h1>
    <p>Announce URLs: <code>http://${host}/announce</code> or <code>udp://${name}:${udpPort}/announce</code>.
    Peers announce every ${desk.intervalSeconds} s.</p>
    ${totals(desk)}
    ${swarms.length === 0
      ? html`<p>No swarm yet: nobody has announced.</p>`
      : swarms.map((swarm) => swarmSection(swarm, names))}
    ${desk.table.swarmCount > shown
      ? html`<p>At most ${shown} swarms are shown.</p>`
      : ""}
      </main>
      </body>
    </html>
  `;
}

/** The tracker in numbers. */
function totals(desk: FrontDesk) {
  const { table } = desk;
  const { seeders, peers } = table.population();
  const rows = [
    ["Swarms", table.swarmCount],
    ["Seeds", seeders],
    ["Leeches", peers - seeders],
    ["Completions", table.totals.completed],
    ["Stopped", table.totals.stopped],
    ["Expired", table.totals.expired],
    ["Announces", table.totals.announced],
    ["Announces per second", desk.announcesPerSecond().toFixed(1)],
  ] as const;
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`<dl>${rows.map(([term, value]) =>
    html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function swarmSection(
  swarm: SwarmView,
  names: ReadonlyMap<string, string>,
) {
  const infoHash = toHex(swarm.infoHash);
  const more = swarm.seeders + swarm.leechers - swarm.peers.length;
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <div>
      <h2>${names.get(infoHash) || "Torrent"} <code>${infoHash}</code></h2>
      <p>Seeders ${swarm.seeders}, leechers ${swarm
        .leechers}, downloads completed ${swarm.completed}</p>
      <div class="wide"><table>
    <tr><th>Peer</th><th>Client</th><th class="number">Left</th><th class="number">Downloaded</th><th class="number">Uploaded</th><th class="number">Announced</th></tr>
    ${swarm.peers.map(peerRow)}
      </table></div>
      ${more > 0 ? html`<p>and ${more} more</p>` : ""}
    </div>
  `;
}

function peerRow(peer: PeerView) {
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <tr>
      <td>${formatHostPort(addressOf(peer.compact))}</td>
      <td><code>${clientOf(peer.peerId)}</code></td>
      <td class="number">${leftOf(peer)}</td>
      <td class="number">${formatBytes(peer.downloadedBytes)}</td>
      <td class="number">${formatBytes(peer.uploadedBytes)}</td>
      <td class="number">${formatMs(peer.silentMs)} ago</td>
    </tr>
  `;
}

function leftOf({ leftBytes }: PeerView): string {
  if (leftBytes === 0) return "seed";
  return leftBytes > MAX_SIZE_BYTES ? "unknown" : formatBytes(leftBytes);
}

function addressOf(compact: Uint8Array): { host: string; port: number } {
  const end = compact.length - 2;
  return {
    host: formatAddress(compact.subarray(0, end)),
    port: viewOf(compact).getUint16(end),
  };
}

/** The part of a peer id that names the program (BEP 20), such as `-TR3000-`. */
function clientOf(peerId: Uint8Array): string {
  return fromUtf8(peerId.subarray(0, 8)).replace(/[^\x21-\x7e]/g, ".");
}
