import { toHex } from "../../../lib/core/bytes.ts";
import { counted, formatBytes, formatMs } from "../../../lib/core/units.ts";
import type { Metainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { Swarm } from "../../../lib/bittorrent/swarm/swarm.ts";
import type { RoleResult } from "../../../lib/role.ts";
import { shareCharts } from "./charts.ts";
import type { Progress } from "./progress.ts";

/** Peers in the table for people; the JSON has all. */
const MAX_ROWS = 20;

/** Says how a share went. */
export function resultOf(
  info: Metainfo,
  swarm: Swarm,
  { durationMs, runMs, history }: Progress,
): RoleResult {
  const { status } = swarm;
  const peers = sharesOf(swarm);
  const complete = status.havePieces === info.pieceCount;
  const json = {
    torrent: info.name,
    infoHash: toHex(info.infoHash),
    complete,
    bytes: info.totalBytes,
    havePieces: status.havePieces,
    pieceCount: info.pieceCount,
    durationMs: durationMs === null ? null : Math.round(durationMs),
    runMs: Math.round(runMs),
    downloadedBytes: status.downloadedBytes,
    uploadedBytes: status.uploadedBytes,
    wastedBytes: status.wastedBytes,
    peers,
  };
  const rows = peers.map((peer) => [
    peer.remote,
    peer.client,
    formatBytes(peer.downloadedBytes),
    percent(peer.downloadedShare),
    formatBytes(peer.uploadedBytes),
    percent(peer.uploadedShare),
  ]);
  const columns = ["peer", "program", "gave us", "share", "took", "share"];
  const head = `${info.name}: ${
    complete ? "complete" : havePart(status.havePieces, info.pieceCount)
  }, ${formatBytes(info.totalBytes)}${
    durationMs === null ? "" : ` in ${formatMs(durationMs)} (${
      formatBytes(
        Math.round(status.downloadedBytes / Math.max(1, durationMs) * 1000),
      )
    }/s)`
  }`;
  const sums = `received ${formatBytes(status.downloadedBytes)}, sent ${
    formatBytes(status.uploadedBytes)
  }, received in vain ${formatBytes(status.wastedBytes)}`;
  const table = rows.length === 0
    ? []
    : tableLines(columns, rows.slice(0, MAX_ROWS));
  return {
    text: [head, sums, ...table].join("\n"),
    json,
    report: {
      title: `Peer: ${info.name}`,
      sections: [
        { kind: "text", text: `${head}; ${sums}.` },
        ...shareCharts(history.moments, { totalBytes: info.totalBytes, peers }),
        { kind: "table", heading: "Peers", columns, rows },
      ],
    },
  };
}

/** Lines of a table, its columns as wide as they must be. */
function tableLines(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...rows.map((row) => row[at]!.length))
  );
  return [columns, ...rows].map((row) =>
    row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd()
  );
}

/** What each peer gave and took, and which part of all that was. */
function sharesOf(swarm: Swarm) {
  const { downloadedBytes, uploadedBytes } = swarm.status;
  return swarm.peerTotals().map((peer) => ({
    ...peer,
    downloadedShare: share(peer.downloadedBytes, downloadedBytes),
    uploadedShare: share(peer.uploadedBytes, uploadedBytes),
  }));
}

/** A peer's part of a sum, 0 to 1; 0 of nothing. What came in vain counts for the peer and not in the sum. */
function share(bytes: number, ofBytes: number): number {
  if (ofBytes <= 0) return 0;
  return Math.min(1, Math.round(bytes / ofBytes * 1e4) / 1e4);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function havePart(havePieces: number, pieceCount: number): string {
  return `${havePieces} of ${counted(pieceCount, "piece")}`;
}
