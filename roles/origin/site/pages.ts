import {
  formatRequestPath,
  type RequestPath,
} from "../../../lib/http/request_path.ts";
import {
  counted,
  formatBitRate,
  formatBytes,
} from "../../../lib/core/units.ts";
import { MASTER_NAME } from "../../../lib/media/manifests/hls_writer.ts";
import { PAGE_STYLE } from "../../../lib/report/page_style.ts";
import {
  type Published,
  segmentNameOf,
} from "../../../lib/media/manifests/published.ts";

/** The page at `/` when the built-in title is served. */
export function titlePage(
  title: Published,
  { torrent }: { readonly torrent: boolean },
): string {
  const rows = title.sets.flatMap((set) =>
    set.renditions.map((rendition) => {
      const { video, codecs, bitsPerSecond, file } = rendition;
      const nameAt = (at: number) =>
        segmentNameOf(rendition, {
          number: set.firstNumber + at,
          ticks: (set.firstNumber - 1 + at) * set.nominalTicks,
        });
      const link = (name: string) => `<a href="${name}">${name}</a>`;
      const last = set.segmentTicks.length - 1;
      const files = file !== undefined
        ? link(file.name)
        : last < 0
        ? "soon"
        : `${link(nameAt(0))} … ${link(nameAt(last))}`;
      return `<tr><td>${video ? `${video.height}p` : "sound"}<td>${
        video ? `${video.width} × ${video.height}` : ""
      }<td>${formatBitRate(bitsPerSecond)}<td>${codecs}<td>${files}</tr>`;
    })
  );
  const segments = counted(title.sets[0]!.segmentTicks.length, "segment");
  const what = title.live === undefined
    ? `${title.durationSeconds} s of test card in ${segments}`
    : `live since ${
      new Date(title.live.startWallMs).toISOString()
    }, ${segments} to go back`;
  return page(
    title.title,
    `<p><a href="manifest.mpd">manifest.mpd</a>: ${what}, made here when they are asked for.
HLS players: <a href="${MASTER_NAME}">${MASTER_NAME}</a>.${
      torrent
        ? `
BitTorrent: <a href="manifest.torrent">manifest.torrent</a>.`
        : ""
    }
<table>
<tr><th>Rate<th>Size<th>Bandwidth<th>Codec<th>Segments</tr>
${rows.join("\n")}
</table>
<p><a href="watch/manifest.mpd">Watch it here</a>, with <code>rolecall dash-client http://<var>this host</var>/manifest.mpd</code>, or with any other DASH player, such as <code>ffplay</code> or <code>mpv</code>.`,
  );
}

/** What {@linkcode folderPage} shows of a file or folder. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder";
  readonly sizeBytes: number;
}

/** The page of a folder without `index.html`: titles (manifests and playlists) first, then everything else. */
export function folderPage(
  path: RequestPath,
  entries: readonly FolderEntry[],
): string {
  const isTitle = (entry: FolderEntry) =>
    entry.kind === "file" && /\.(mpd|m3u8)$/i.test(entry.name);
  const list = (some: readonly FolderEntry[]) =>
    `<table>\n${
      some.map((entry) => {
        const folder = entry.kind === "folder";
        const href = formatRequestPath({
          names: [...path.names, entry.name],
          folder,
        });
        const watch = !folder && /\.mpd$/.test(entry.name)
          ? `<td><a href="/watch${escapeHtml(href)}">watch</a>`
          : "";
        return `<tr><td><a href="${escapeHtml(href)}">${
          escapeHtml(entry.name)
        }${folder ? "/" : ""}</a><td>${
          folder ? "" : formatBytes(entry.sizeBytes)
        }${watch}</tr>`;
      }).join("\n")
    }\n</table>`;
  const titles = entries.filter(isTitle);
  const others = entries.filter((entry) => !isTitle(entry));
  return page(
    formatRequestPath(path),
    [
      path.names.length === 0 ? "" : `<p><a href="../">..</a>`,
      titles.length === 0 ? "" : `<h2>Titles</h2>\n${list(titles)}`,
      others.length === 0 ? "" : `<h2>Files</h2>\n${list(others)}`,
      entries.length === 0 ? "<p>This folder is empty." : "",
    ].filter((part) => part !== "").join("\n"),
  );
}

function page(heading: string, body: string): string {
  const safe = escapeHtml(heading);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${safe} · rolecall origin</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}
table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { text-align: left; padding: .2rem 1rem .2rem 0; white-space: nowrap; }
h1 { border-bottom: 4px solid var(--series-3); } code { background: var(--band); padding: .1rem .3rem; }
</style>
<main>
<h1>${safe}</h1>
${body}
</main>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
