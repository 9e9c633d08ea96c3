import { toHex } from "../../lib/core/bytes.ts";
import { formatBytes } from "../../lib/core/units.ts";
import type { RoleContext } from "../../lib/role.ts";
import { readTorrent } from "./read_torrent.ts";

/** Prints what a .torrent says. */
export async function inspectTorrent(
  flags: { readonly inspect: string | undefined },
  ctx: RoleContext,
): Promise<void> {
  const info = await readTorrent(flags.inspect!, ctx.files);
  const infoHash = toHex(info.infoHash);
  const rows: [string, string][] = [
    ["name", info.name],
    ["info-hash", infoHash],
    ["size", `${formatBytes(info.totalBytes)} (${info.totalBytes} bytes)`],
    ["pieces", `${info.pieceCount} of ${formatBytes(info.pieceLength)}`],
    ...info.announceList.map((tier, index): [string, string] => [
      index === 0 ? "trackers" : "",
      tier.join(" or "),
    ]),
    ["private", info.private ? "yes" : "no"],
    ...(info.createdBy === null
      ? []
      : [["made by", info.createdBy] as [string, string]]),
    ...(info.comment === null
      ? []
      : [["comment", info.comment] as [string, string]]),
    ...info.files.map((file, index): [string, string] => [
      index === 0 ? "files" : "",
      `${file.path.join("/")}  ${formatBytes(file.lengthBytes)}`,
    ]),
  ];
  ctx.finish({
    text: rows.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}`)
      .join("\n"),
    json: {
      torrent: info.name,
      infoHash,
      bytes: info.totalBytes,
      pieceLength: info.pieceLength,
      pieceCount: info.pieceCount,
      private: info.private,
      announceList: info.announceList,
      createdBy: info.createdBy,
      comment: info.comment,
      files: info.files.map((file) => ({
        path: file.path.join("/"),
        bytes: file.lengthBytes,
      })),
    },
  });
}

/** A torrent is a stranger's text: what would move the cursor or colour the terminal is shown as a dot. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "·");
}
