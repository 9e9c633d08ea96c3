import { toHex } from "../../lib/core/bytes.ts";
import { counted, formatBytes } from "../../lib/core/units.ts";
import type { LayoutFile } from "../../lib/bittorrent/metainfo/layout.ts";
import { magnetOf } from "../../lib/bittorrent/metainfo/magnet_of.ts";
import type { Metainfo } from "../../lib/bittorrent/metainfo/metainfo.ts";
import { formatHostPort } from "../../lib/core/address.ts";
import { isMagnet, type Magnet } from "../../lib/bittorrent/metainfo/magnet.ts";
import type { RoleContext, RoleResult } from "../../lib/role.ts";
import { readTorrent } from "../../lib/peer/read_torrent.ts";
import { readMagnet } from "./fetch_metadata.ts";

/** Prints what a .torrent or a magnet link says. */
export async function inspectTorrent(
  flags: { readonly inspect: string | undefined },
  ctx: RoleContext,
): Promise<void> {
  const { inspect } = flags;
  if (isMagnet(inspect!)) {
    return ctx.finish(describeMagnet(readMagnet(inspect!)));
  }
  const info = await readTorrent(inspect!, ctx.files);
  ctx.finish({
    text: textOf(rowsOf(info)),
    json: jsonOf(info),
  });
}

/** Says what a magnet link says. The torrent itself only peers know. */
function describeMagnet(magnet: Magnet): RoleResult {
  const { name, infoHash, infoHashV2, hasV1 } = magnet;
  const { trackers, webSeeds } = magnet;
  const peers = magnet.peers.map(formatHostPort);
  const hashes = {
    infoHash: hasV1 ? toHex(infoHash) : null,
    infoHashV2: infoHashV2 === null ? null : toHex(infoHashV2),
  };
  const rows = [
    ...optional("name", name),
    ...optional("info-hash", hashes.infoHash),
    ...optional("v2 info-hash", hashes.infoHashV2),
    ...several("trackers", trackers),
    ...several("web seeds", webSeeds),
    ...several("peers", peers),
  ];
  return {
    text: textOf(rows),
    json: { torrent: name, ...hashes, trackers, webSeeds, peers },
  };
}

function textOf(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`)
    .join("\n");
}

function rowsOf(info: Metainfo): [string, string][] {
  const padding = info.files.filter((file) => file.padding);
  const date = info.createdAtSeconds;
  return [
    ["name", info.name],
    ["format", info.version],
    ...optional(
      "info-hash",
      info.version === "v2" ? null : toHex(info.infoHash),
    ),
    ...optional(
      "v2 info-hash",
      info.infoHashV2 === null ? null : toHex(info.infoHashV2),
    ),
    ["magnet", magnetOf(info)],
    [
      "size",
      `${formatBytes(info.totalBytes)} (${counted(info.totalBytes, "byte")})`,
    ],
    ["pieces", `${info.pieceCount} of ${formatBytes(info.pieceLength)}`],
    ...several("trackers", info.announceList.map((tier) => tier.join(" or "))),
    ...several("web seeds", info.webSeeds),
    ...several("http seeds", info.httpSeeds),
    ...several(
      "DHT nodes",
      info.nodes.map(formatHostPort),
    ),
    ["private", info.private ? "yes" : "no"],
    ...optional("source", info.source),
    ...optional("made by", info.createdBy),
    ...optional("made on", date === null ? null : dateOf(date)),
    ...optional("comment", info.comment),
    ...optional(
      "padding",
      padding.length === 0
        ? null
        : `${counted(padding.length, "file")}, not written`,
    ),
    ...several(
      "files",
      info.files.filter((file) => !file.padding).map(lineOf),
    ),
  ];
}

function lineOf(file: LayoutFile): string {
  const path = file.path.join("/");
  if (file.link !== undefined) return `${path} -> ${file.link.join("/")}`;
  const marks = [
    ...(file.executable ? ["executable"] : []),
    ...(file.hidden ? ["hidden"] : []),
    ...(file.piecesRoot === undefined ? [] : [toHex(file.piecesRoot)]),
  ];
  return [path, formatBytes(file.lengthBytes), ...marks].join("  ");
}

function jsonOf(info: Metainfo): unknown {
  return {
    torrent: info.name,
    version: info.version,
    infoHash: toHex(info.infoHash),
    infoHashV2: info.infoHashV2 === null ? null : toHex(info.infoHashV2),
    magnet: magnetOf(info),
    bytes: info.totalBytes,
    pieceLength: info.pieceLength,
    pieceCount: info.pieceCount,
    private: info.private,
    announceList: info.announceList,
    webSeeds: info.webSeeds,
    httpSeeds: info.httpSeeds,
    nodes: info.nodes,
    source: info.source,
    createdBy: info.createdBy,
    createdAt: info.createdAtSeconds === null
      ? null
      : dateOf(info.createdAtSeconds),
    comment: info.comment,
    files: info.files.map((file) => ({
      path: file.path.join("/"),
      bytes: file.lengthBytes,
      ...(file.padding ? { padding: true } : {}),
      ...(file.executable ? { executable: true } : {}),
      ...(file.hidden ? { hidden: true } : {}),
      ...(file.link === undefined ? {} : { link: file.link.join("/") }),
      ...(file.piecesRoot === undefined
        ? {}
        : { piecesRoot: toHex(file.piecesRoot) }),
    })),
  };
}

function optional(name: string, value: string | null): [string, string][] {
  return value === null ? [] : [[name, value]];
}

/** A row for each, the name in front of the first. */
function several(name: string, values: readonly string[]): [string, string][] {
  return values.map((value, index) => [index === 0 ? name : "", value]);
}

/** Seconds since 1970 as ISO 8601; what no calendar has as the number. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** A torrent is a stranger's text: what would move the cursor or colour the terminal is shown as a dot. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "·");
}
