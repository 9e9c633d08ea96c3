import {
  counted,
  formatBitRate,
  formatBytes,
  formatMs,
} from "../../../lib/core/units.ts";
import type { RoleResult } from "../../../lib/role.ts";
import type { PlayLog, Row } from "./played.ts";
import { segmentTable, tableOf } from "./result.ts";

/** A rate fetched from end to end. */
export interface Downloaded extends Pick<PlayLog, "downloads"> {
  readonly url: string;
  readonly title: string;
  readonly manifestMs: number;
  readonly mediaMs: number;
  /** From the manifest to the last byte. */
  readonly elapsedMs: number;
  /** With the initialization segment. */
  readonly bytes: number;
  readonly savedTo: string | undefined;
  /** False when it was told to stop before the last segment. */
  readonly complete: boolean;
}

/** Returns the result of a download: table, JSON, report. */
export function showDownload(downloaded: Downloaded): RoleResult {
  const { downloads, title, url, bytes, elapsedMs, savedTo } = downloaded;
  const rate = bytes * 8000 / Math.max(elapsedMs, 0.1);
  const each = downloads.map(({ record }) => record.downloadMs)
    .sort((a, b) => a - b);
  const rows: Row[] = [
    ["title", title === "" ? url : title],
    [
      "fetched",
      `${counted(downloads.length, "segment")}, ${formatBytes(bytes)}${
        downloaded.complete ? "" : " (not to the end)"
      }`,
    ],
    ["in", `${formatMs(elapsedMs)} (${formatBitRate(rate)})`],
    ["media", formatMs(downloaded.mediaMs)],
    [
      "per segment",
      `${formatMs(each[0] ?? 0)} to ${formatMs(each.at(-1) ?? 0)}, median ${
        formatMs(each[Math.floor(each.length / 2)] ?? 0)
      }`,
    ],
    ...(savedTo === undefined ? [] : [["saved to", savedTo] as const]),
  ];
  return {
    text: tableOf(rows),
    json: {
      ...downloaded,
      downloads: undefined,
      throughputBitsPerSecond: rate,
      segments: downloads.map(({ atMs, record }) => ({ atMs, ...record })),
    },
    report: {
      title: `dash-client --download-only: ${title === "" ? url : title}`,
      sections: [
        {
          kind: "table",
          heading: "Download",
          columns: ["what", "value"],
          rows,
        },
        segmentTable(downloaded),
      ],
    },
  };
}
