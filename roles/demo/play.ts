import { nearest } from "../../lib/cli/nearest.ts";
import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { counted, formatBytes, formatMs } from "../../lib/core/units.ts";
import type { Address } from "../../lib/io/net.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { Terminal } from "../../lib/io/terminal.ts";
import type { RoleContext, RoleResult } from "../../lib/role.ts";
import { playCdn } from "./acts/cdn.ts";
import { playChurn } from "./acts/churn.ts";
import { closingTable } from "./stage/closing_table.ts";
import { playDistribution } from "./acts/distribution/distribution.ts";
import { playDns } from "./acts/dns/dns.ts";
import { playEdge } from "./acts/edge/edge.ts";
import { playEcho } from "./acts/echo.ts";
import { FarMachine } from "./stage/far_machine.ts";
import { type Numbers, withNumbers } from "./flags.ts";
import { swarmPlayer } from "./swarm/play_swarm.ts";
import { playStreaming } from "./acts/streaming/streaming.ts";
import { playRarestFirst } from "./acts/rarest_first.ts";
import { playTitForTat } from "./acts/tit_for_tat.ts";
import { SCENARIOS } from "./scenario/scenarios.ts";
import { simulateDistribution } from "./acts/distribution/virtual_distribution.ts";
import {
  type Act,
  type ChurnAct,
  parseScenario,
  type RarestFirstAct,
  type Scenario,
  type TitForTatAct,
} from "./scenario/scenario.ts";
import { type Check, Stage } from "./stage/stage.ts";
import { progressView } from "./stage/view.ts";

/** Most bytes of a scenario file. */
const MAX_SCENARIO_BYTES = 1 << 20;

/** How much later we may hear of a Ctrl-C than the programs of the demo, on a busy machine. */
const HEARD_MS = 1_000;

type DemoFlags = Numbers & {
  readonly operand: string;
  readonly keep: boolean;
  readonly watchable: boolean;
  readonly on: readonly Address[];
  readonly token: string | undefined;
};

/** Plays every act of a scenario and fails unless every check held, or it is told to stop. */
export async function playScenario(
  flags: DemoFlags,
  ctx: RoleContext,
): Promise<void> {
  try {
    await playActs(flags, ctx);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    // A terminal's Ctrl-C goes to our programs as well: that they end is no failure then.
    await pauseUntil(ctx.clock.nowMs() + HEARD_MS, ctx);
    if (!ctx.signal.aborted) throw error;
  }
}

async function playActs(flags: DemoFlags, ctx: RoleContext): Promise<void> {
  const scenario = await readScenario(flags.operand, ctx);
  const acts = withNumbers(scenario.acts, flags);
  if (flags.simulate && acts.some((act) => !("peerBytesPerSecond" in act))) {
    throw new InputError(
      "--simulate is for scenarios of swarms only: what would DNS be in virtual time? A video is what `rolecall dash-client --simulate` plays",
    );
  }
  const machines = await meetMachines(flags, ctx);
  const folder = await ctx.files.makeTemporaryFolder("rolecall-demo-");
  const startedAtMs = ctx.clock.nowMs();
  const checks: Check[] = [];
  using view = progressView(ctx.terminal, ctx.clock.nowMs);
  try {
    await using stage = new Stage(ctx, {
      ...{ folder, view, watchable: flags.watchable, machines },
    });
    for (const act of acts) await playAct(act, stage, flags.simulate);
    checks.push(...stage.checks);
    const tookMs = ctx.clock.nowMs() - startedAtMs;
    ctx.finish(resultOf(scenario.title, stage, {
      tookMs,
      simulated: flags.simulate,
    }));
  } finally {
    if (flags.keep) {
      const text = `the programs' files and event logs are in ${folder}`;
      view.note(text);
      ctx.emit({ type: "stage.reported", program: "demo", text });
    } else await ctx.files.remove(folder);
  }
  const failed = checks.filter(({ held }) => !held);
  if (failed.length > 0) {
    throw new RunError(
      "checks-failed",
      `${failed.length} of ${counted(checks.length, "check")} did not hold: ${
        failed.map(({ check }) => check).join("; ")
      }`,
    );
  }
}

/** The machines of the lab that stand by. */
async function meetMachines(
  { on, token }: {
    readonly on: readonly Address[];
    readonly token: string | undefined;
  },
  ctx: RoleContext,
): Promise<readonly FarMachine[]> {
  if (on.length === 0) return [];
  if (token === undefined) {
    throw new InputError(
      "--on needs --token: what `rolecall demo --stand-by` there was given, or printed",
    );
  }
  return await Promise.all(on.map(async ({ host, port }) => {
    const [address = host] = await ctx.net.resolve(host, {
      signal: ctx.signal,
    });
    const at = { host: address, port };
    return await FarMachine.meet(at, { token, ctx });
  }));
}

async function playSwarmAct(
  act: TitForTatAct | RarestFirstAct | ChurnAct,
  stage: Stage,
  simulate: boolean,
): Promise<void> {
  stage.begin(
    act.act,
    `${SCENARIOS[act.act]}: ${formatBytes(act.fileBytes)}${
      simulate ? ", in virtual time" : ""
    }`,
  );
  const play = await swarmPlayer(act, stage, simulate);
  switch (act.act) {
    case "tit-for-tat":
      return playTitForTat(act, stage, play);
    case "rarest-first":
      return playRarestFirst(act, stage, play);
    case "churn":
      return playChurn(act, stage, play);
  }
}

function resultOf(
  title: string,
  { checks, figures, sections, ctx }: Stage,
  { tookMs, simulated }: {
    readonly tookMs: number;
    readonly simulated: boolean;
  },
): RoleResult {
  return {
    text: closingTable(checks, tookMs, widthOf(ctx.terminal)),
    json: { title, simulated, tookMs: Math.round(tookMs), checks, figures },
    report: {
      title,
      sections: [
        {
          kind: "table",
          heading: "What held",
          columns: ["act", "check", "measured", "held"],
          rows: checks.map((row) => [
            row.act,
            row.check,
            row.measured,
            row.held ? "yes" : "NO",
          ]),
          note: `Played in ${
            formatMs(tookMs)
          }; every number was measured in this run${
            simulated ? ", in virtual time" : ""
          }.`,
        },
        ...sections,
      ],
    },
  };
}

function playAct(act: Act, stage: Stage, simulate: boolean): Promise<void> {
  switch (act.act) {
    case "echo":
      return playEcho(act, stage);
    case "distribution":
      return simulate
        ? simulateDistribution(act, stage)
        : playDistribution(act, stage);
    case "cdn":
      return playCdn(act, stage);
    case "dns":
      return playDns(act, stage);
    case "streaming":
      return playStreaming(act, stage);
    case "edge":
      return playEdge(act, stage);
    case "tit-for-tat":
    case "rarest-first":
    case "churn":
      return playSwarmAct(act, stage, simulate);
  }
}

async function readScenario(
  name: string,
  ctx: RoleContext,
): Promise<Scenario> {
  const path = Object.hasOwn(SCENARIOS, name)
    ? ctx.files.includedPath("scenarios", `${name}.json`)
    : name;
  let bytes: Uint8Array;
  try {
    bytes = await ctx.files.read(path, { maxBytes: MAX_SCENARIO_BYTES });
  } catch (error) {
    const known = Object.keys(SCENARIOS);
    const near = nearest(name, known);
    throw new InputError(
      `there is no scenario "${name}"${
        near === undefined ? "" : ` (did you mean "${near}"?)`
      }; known are ${known.join(", ")}, or give the file of one`,
      { cause: error },
    );
  }
  try {
    return parseScenario(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read scenario ${name}: ${messageOf(error)}`);
  }
}

function widthOf(terminal: Terminal): number {
  return terminal.stdoutIsTerminal ? terminal.columns() : Infinity;
}
