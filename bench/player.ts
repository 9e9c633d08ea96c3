// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * What playing costs: CPU of a player in real time, as a share of one core, alone and a hundred in one process, each at
 * 2.5 Mbit/s from an origin on this machine; and whether all of them keep their buffers.
 *
 *   [CLIENTS=1,100] [SECONDS=30] [ROLECALL_BIN=dist/rolecall] deno run -A bench/player.ts
 *
 * CPU is user and system time of the player's process while all of them fetch and play, from /proc (Linux).
 */
import type { EventRecord } from "../lib/events/mod.ts";
import { startProgram } from "../tests/support/program.ts";
import { cpuMs } from "./proc.ts";

const GOAL_PERCENT = 3;

const CLIENTS = (Deno.env.get("CLIENTS") ?? "1,100").split(",").map(Number);
const SECONDS = Number(Deno.env.get("SECONDS") ?? 30);

/** What the result says of a player. */
interface Played {
  readonly stallCount: number;
  readonly averageBitsPerSecond: number;
}

async function measure(clients: number, seconds: number): Promise<void> {
  await using origin = await startProgram([
    ...["origin", "--port", "0", "--host", "127.0.0.1"],
  ]);
  const { port } = await origin.until("role.listening");
  await using player = await startProgram([
    ...["dash-client", `http://127.0.0.1:${port}/manifest.mpd`, "--json"],
    ...["--abr", "fixed", "--quality", "720p", "--clients", String(clients)],
    ...[
      "--duration",
      `${seconds + 10}s`,
      "--buffer",
      "10s",
      "--stagger",
      `${5000 / clients}ms`,
    ],
  ]);
  await player.until("playout.started");
  const before = cpuMs(player.pid);
  const startedAtMs = performance.now();
  // Ends before the last player has all of its media.
  await new Promise((done) => setTimeout(done, seconds * 1000));
  const cpu = (cpuMs(player.pid) - before) / 1000;
  const tookS = (performance.now() - startedAtMs) / 1000;
  const { code, stdout, stderr } = await player.exited;
  if (code !== 0) throw new Error(`Not all of them played: ${stderr}`);
  const result = JSON.parse(stdout);
  const each: readonly Played[] = result.clients ?? [result];
  // One that failed has no row, and could not be seen to stall.
  if (each.length !== clients) {
    throw new Error(`${each.length} of ${clients} players have a result`);
  }
  const stalled = each.filter(({ stallCount }) => stallCount > 0).length;
  const slowest = Math.min(...each.map((one) => one.averageBitsPerSecond));
  const percent = 100 * cpu / tookS / clients;
  console.log(
    `${String(clients).padStart(4)} players, ${seconds} s at ${
      (slowest / 1e6).toFixed(2)
    } Mbit/s or more: ${
      percent.toFixed(2)
    } % of a core each (goal ${GOAL_PERCENT}), ${
      (100 * cpu / tookS).toFixed(0)
    } % together; ${stalled} of them stalled (goal 0), least media held ${
      (leastHeldMs(player.events) / 1000).toFixed(2)
    } s of 10`,
  );
}

/** The least that any of the players still held when a segment came, once its buffer had been full: its first two segments fill it. */
function leastHeldMs(events: readonly EventRecord[]): number {
  return Math.min(
    ...events.flatMap((event) =>
      event.type === "segment.downloaded" && event.segmentNumber > 2
        ? [event.bufferMs - event.mediaMs]
        : []
    ),
  );
}

for (const clients of CLIENTS) await measure(clients, SECONDS);
