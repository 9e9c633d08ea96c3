// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * What the built-in title costs: every segment of the lecture's three rates, once, over HTTP from an origin of its own.
 *
 * `deno run -A bench/title.ts [FLAGS OF ORIGIN]`: how far sizes are from nominal, the time to the first byte, and the
 * processor time of the origin (Linux: /proc). Machine, load and number of runs belong beside the figures.
 */
import { openMpd } from "../lib/dash/mpd/mpd.ts";
import { startProgram } from "../tests/support/program.ts";
import { cpuMs } from "./proc.ts";

await using origin = await startProgram(
  ["origin", "--host", "127.0.0.1", "--port", "0", ...Deno.args],
);
const { port } = await origin.until("role.listening");
const url = `http://127.0.0.1:${port}/manifest.mpd`;
const mpd = openMpd(await (await fetch(url)).text(), url).at(Date.now());
const [set] = mpd.periods[0]!.adaptationSets;
const before = cpuMs(origin.pid);
const firstByteMs: number[] = [];
let bytes = 0;
let mostPercent = 0;
for (const rung of set!.representations) {
  for (const segment of rung.segments) {
    const askedAt = performance.now();
    const response = await fetch(segment.urls[0]!);
    const reader = response.body!.getReader();
    let size = 0;
    for (let at = 0;; at++) {
      const { done, value } = await reader.read();
      if (at === 0) firstByteMs.push(performance.now() - askedAt);
      if (done) break;
      size += value.length;
    }
    bytes += size;
    const nominal = rung.bitsPerSecond * segment.durationMs / 8000;
    mostPercent = Math.max(mostPercent, Math.abs(100 * (size / nominal - 1)));
  }
}
const spentMs = cpuMs(origin.pid) - before;
firstByteMs.sort((a, b) => a - b);
const at = (part: number) =>
  firstByteMs[Math.min(firstByteMs.length - 1, part * firstByteMs.length | 0)]!
    .toFixed(1);
console.log(
  `${firstByteMs.length} segments, ${
    (bytes / 1e6).toFixed(1)
  } MB; sizes within ${mostPercent.toFixed(3)} % of nominal
first byte: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, slowest ${at(1)} ms
origin's processor time: ${(spentMs / 1000).toFixed(2)} s`,
);
