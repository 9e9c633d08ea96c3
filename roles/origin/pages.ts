import {
  formatRequestPath,
  type RequestPath,
} from "../../lib/http/request_path.ts";
import { formatBitRate, formatBytes } from "../../lib/core/units.ts";
import {
  FRAMES_PER_SECOND,
  RUNGS,
  SEGMENT_COUNT,
  segmentName,
  TITLE_FRAMES,
} from "../../lib/media/title.ts";

/** The page at `/` when the built-in title is served. */
export function titlePage(title: string): string {
  const rows = RUNGS.map((rung) => {
    const first = segmentName(rung.height, 1);
    const last = segmentName(rung.height, SEGMENT_COUNT);
    return `<tr><td>${rung.height}p<td>${rung.width} × ${rung.height}<td>${
      formatBitRate(rung.bitsPerSecond)
    }<td>${rung.codecs}<td><a href="${first}">${first}</a> … <a href="${last}">${last}</a></tr>`;
  });
  return page(
    title,
    `<p><a href="manifest.mpd">manifest.mpd</a>: ${
      TITLE_FRAMES / FRAMES_PER_SECOND
    } s of test card in ${SEGMENT_COUNT} segments, made here when they are asked for.
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
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2430; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem 1rem .2rem 0; }
h1 { border-bottom: 4px solid #6f32a4; } code { background: #eef0f4; padding: .1rem .3rem; }
</style>
<h1>${safe}</h1>
${body}
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
