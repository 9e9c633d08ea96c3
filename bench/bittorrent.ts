// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The whole table of BitTorrent figures: our peer and tracker beside the real ones, one benchmark after the other, each with
 * what is to be reached.
 *
 *     ROLECALL_BIN=dist/rolecall ROLECALL_NPM=… deno run -A bench/bittorrent.ts [--runs 5]
 *
 * Root, Linux, nothing else running; half an hour with five runs. What the parts need, and what their columns mean, is at
 * the head of each.
 */
import { join } from "@std/path";

interface Part {
  readonly script: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its rows are to reach. */
  readonly goals: readonly string[];
}

const at = Deno.args.indexOf("--runs");
const runs = at === -1 ? "5" : Deno.args[at + 1] ?? "5";

const PARTS: readonly Part[] = [
  {
    script: "peer_pair.ts",
    args: ["--runs", runs],
    goals: [
      "wall: at most that of the fastest of libtorrent, aria2, rtorrent; webtorrent's at least 2.5 times ours",
      "CPU: at most libtorrent's, at most 0.4 of webtorrent's",
      "peak memory of the leech: at most 120 MiB; first bytes: at most 0.2 s",
    ],
  },
  {
    script: "swarm.ts",
    args: ["--runs", runs, "--cases", "fast,equal,mixed"],
    goals: [
      "fast (us = 10u): last/bound at most 1.12 and at most 0.9 of libtorrent's",
      "equal (us = u): last/bound at most 1.20",
      "mixed: our seed with libtorrent leeches sooner than a libtorrent seed",
    ],
  },
  {
    script: "tracker.ts",
    args: [],
    env: { RUNS: runs },
    goals: [
      "UDP: at least 0.5 of opentracker's rate, at least twice bittorrent-tracker's",
      "HTTP: at least 0.9 of opentracker's rate with a connection each, twice it with keep-alive, 4 times bittorrent-tracker's",
      "memory with 1,000,000 peers: at most 120 MiB",
    ],
  },
];

let failed = 0;
for (const { script, args, env, goals } of PARTS) {
  console.log(`\n=== ${script}`);
  for (const goal of goals) console.log(`    to reach: ${goal}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(import.meta.dirname!, script), ...args],
    env: { ...env },
  }).spawn().status;
  if (code !== 0) failed += 1;
}
Deno.exit(failed === 0 ? 0 : 1);
