import { formatBytes } from "../../../lib/core/units.ts";
import type { Played, Row } from "./played.ts";

/** What sharing came to, of one player or of all. */
export interface SharingSums {
  /** From other players. */
  readonly peerBytes: number;
  readonly cdnBytes: number;
  readonly uploadedBytes: number;
}

/** More columns in the table of players, with `--cooperate`. */
export const SHARING_COLUMNS = ["from peers", "gave", "peers"] as const;

/** Sums up what one player got from whom; undefined without `--cooperate`. */
export function sharingOf(
  { sharing, downloads, sound }: Played,
): SharingSums | undefined {
  if (sharing === undefined) return undefined;
  let peerBytes = 0;
  let bytes = 0;
  for (const { record } of [...downloads, ...sound]) {
    peerBytes += record.peerBytes ?? 0;
    bytes += record.bytes;
  }
  const { uploadedBytes } = sharing;
  return { peerBytes, cdnBytes: bytes - peerBytes, uploadedBytes };
}

/** Sums up what all players got from whom; undefined without `--cooperate`. */
export function sharingTogether(
  players: readonly Played[],
): SharingSums | undefined {
  const each = players.map(sharingOf).filter((sums) => sums !== undefined);
  if (each.length === 0) return undefined;
  const sum = (key: keyof SharingSums) =>
    each.reduce((total, sums) => total + sums[key], 0);
  return {
    peerBytes: sum("peerBytes"),
    cdnBytes: sum("cdnBytes"),
    uploadedBytes: sum("uploadedBytes"),
  };
}

/** The cells of {@linkcode SHARING_COLUMNS}. */
export function sharingCells(played: Played): string[] {
  const sums = sharingOf(played);
  if (sums === undefined) return ["", "", ""];
  return [
    peerShare(sums),
    formatBytes(sums.uploadedBytes),
    String(played.sharing!.peers),
  ];
}

/** The row of one player alone. */
export function sharingRow(played: Played): Row[] {
  const sums = sharingOf(played);
  if (sums === undefined) return [];
  return [[
    "shared",
    `${formatBytes(sums.peerBytes)} (${peerShare(sums)}) from peers (${
      played.sharing!.peers
    }), gave ${formatBytes(sums.uploadedBytes)}`,
  ]];
}

/** Writes how much came from peers: `67 %`. */
export function peerShare(sums: SharingSums): string {
  return `${peerPercent(sums).toFixed(0)} %`;
}

/** How much came from peers, in percent. */
export function peerPercent({ peerBytes, cdnBytes }: SharingSums): number {
  return 100 * peerBytes / Math.max(1, peerBytes + cdnBytes);
}
