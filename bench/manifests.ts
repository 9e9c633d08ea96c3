// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Reads manifests of other projects' collections beside mpd-parser (npm) and says where the two differ.
 *
 *     ROLECALL_NPM=DIR deno run -A bench/manifests.ts FOLDER…
 *
 * FOLDERs hold `.mpd` files; DIR/node_modules has mpd-parser 1.4.0. Each manifest is read in a process of its own, since
 * some never end in the other parser. Live ones are counted apart: there the two cut at other times.
 *
 * Of 97 manifests of videojs/mpd-parser and Eyevinn/dash-mpd three static ones differ, where the standard is with us:
 * 117.12 s of 1.92 s each are 61 segments and not 62 (fraunhofer_iis_mpegh); layers of a scalable stream are no
 * Representations that can be played (G4); a Period behind one that an xlink stands for begins where that one ends, and not at 0 (G11).
 */
import { createRequire } from "node:module";
import { join, resolve } from "@std/path";
import { openMpd } from "../lib/dash/mpd/mpd.ts";

/** Longest that reading one may take. */
const LIMIT_MS = 20_000;
const URL_OF_MPD = "http://manifests.example/folder/manifest.mpd";

/** What one process says of one manifest. */
interface Comparison {
  readonly ours: "read" | "refused" | "crashed";
  readonly problem: string;
  readonly live: boolean;
  readonly theirs: "read" | "found nothing" | "refused" | "hung";
  readonly differences: readonly string[];
}

/** What mpd-parser says of a segment. */
interface TheirSegment {
  readonly resolvedUri: string;
  readonly duration: number;
  readonly byterange?: { readonly offset: number; readonly length: number };
}

/** What it says of a Representation. */
interface TheirPlaylist {
  readonly attributes: {
    readonly periodStart?: number;
    readonly id: string;
    readonly baseUrl: string;
  };
  readonly segments?: readonly TheirSegment[];
}

async function compare(file: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  const nowWallMs = Date.now();
  const said = readOurs(text, nowWallMs);
  // Said first: the other parser may not come back.
  console.log(
    JSON.stringify({
      ...said,
      lists: undefined,
      theirs: "hung",
      differences: [],
    }),
  );
  let theirs: Comparison["theirs"] = "found nothing";
  const differences: string[] = [];
  try {
    for (const { attributes, segments = [] } of readTheirs(text, nowWallMs)) {
      const { periodStart = 0, id, baseUrl } = attributes;
      const key = `${Math.round(periodStart * 1000)} ${id} ${baseUrl}`;
      const list = segments.map(({ resolvedUri, duration, byterange: part }) =>
        `${resolvedUri} ${duration.toFixed(2)} ${
          part ? `${part.offset}-${part.offset + part.length - 1}` : ""
        }`
      );
      if (list.length > 0) theirs = "read";
      // Sets may use an id twice.
      const [own, ...others] = said.lists.get(key) ?? [];
      const same = [own, ...others].some((one) => one?.join() === list.join());
      // A file without segment information: they list nothing, we the file.
      if (same || list.length === 0) continue;
      const at = list.findIndex((each, at) => own?.[at] !== each);
      differences.push(
        `${key}: ${own?.length} and ${list.length}, first ${own?.[at]} | ${
          list[at]
        }`,
      );
    }
  } catch {
    theirs = "refused";
  }
  console.log(
    JSON.stringify({ ...said, lists: undefined, theirs, differences }),
  );
}

function readOurs(text: string, nowWallMs: number) {
  const lists = new Map<string, string[][]>();
  try {
    const mpd = openMpd(text, URL_OF_MPD).at(nowWallMs);
    for (const { startMs, adaptationSets } of mpd.periods) {
      for (const each of adaptationSets.flatMap((set) => set.representations)) {
        for (const [at, base] of each.bases.entries()) {
          const key = `${Math.round(startMs)} ${each.id} ${base.url}`;
          lists.set(key, [
            ...(lists.get(key) ?? []),
            each.segments.map(({ urls, durationMs, range }) =>
              `${urls[at]} ${(durationMs / 1000).toFixed(2)} ${
                range ? `${range.first}-${range.last}` : ""
              }`
            ),
          ]);
        }
      }
    }
    return { ours: "read", problem: "", live: mpd.live !== undefined, lists };
  } catch (error) {
    const { name, message } = error as Error;
    const ours = name === "MpdError" ? "refused" : "crashed";
    return { ours, problem: message, live: false, lists };
  }
}

/** Reads with mpd-parser's own steps: what it exports would join the Periods. */
function readTheirs(text: string, nowWallMs: number): TheirPlaylist[] {
  return openTheirs()(text, { manifestUri: URL_OF_MPD, NOW: nowWallMs });
}

function openTheirs(): (text: string, options: object) => TheirPlaylist[] {
  const folder = resolve(Deno.env.get("ROLECALL_NPM") ?? ".");
  const require = createRequire(join(folder, "index.js"));
  const path = require.resolve("mpd-parser/dist/mpd-parser.cjs.js");
  const code = `${
    Deno.readTextFileSync(path)
  }\nexports.read = (text, options) => toPlaylists(inheritAttributes(stringToMpdXml(text), options).representationInfo);`;
  const exports: { read?: (text: string, options: object) => TheirPlaylist[] } =
    {};
  new Function("require", "exports", code)(require, exports);
  return exports.read!;
}

/** Runs one comparison in a process of its own. */
async function apart(file: string): Promise<Comparison | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.filename!, "--one", file],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const { stdout } = await child.output();
  clearTimeout(timer);
  const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1);
  return line ? JSON.parse(line) : undefined;
}

const [first, ...rest] = Deno.args;
if (first === "--one") {
  await compare(rest[0]!);
} else {
  openTheirs(); // Says at once if it is not there.
  const counts = new Map<string, number>();
  for (const folder of Deno.args) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".mpd")) continue;
      const found = await apart(join(folder, name));
      const kind = found === undefined
        ? "we hang or die"
        : found.ours !== "read"
        ? `we ${found.ours}, they ${found.theirs}`
        : found.theirs === "hung" || found.theirs === "refused"
        ? `we read, they ${found.theirs}`
        : `both read, ${found.live ? "live, " : ""}${
          found.differences.length === 0 ? "the same list" : "different"
        }`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const why = found?.problem || (found?.live ? "" : found?.differences[0]);
      if (why) console.log(`${name}: ${kind}: ${why.slice(0, 300)}`);
    }
  }
  for (const [kind, count] of [...counts].sort()) {
    console.log(`${String(count).padStart(4)} ${kind}`);
  }
}
