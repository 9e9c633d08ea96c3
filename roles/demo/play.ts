import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { formatMs } from "../../lib/core/units.ts";
import type { Terminal } from "../../lib/io/terminal.ts";
import type { RoleContext } from "../../lib/role.ts";
import { playCdn } from "./cdn.ts";
import { closingTable } from "./closing_table.ts";
import { playDistribution } from "./distribution.ts";
import { playEcho } from "./echo.ts";
import { type Act, parseScenario, type Scenario } from "./scenario.ts";
import { type Check, Stage } from "./stage.ts";
import { progressView } from "./view.ts";

/** Most bytes of a scenario file. */
const MAX_SCENARIO_BYTES = 1 << 20;

/** Plays every act of a scenario and fails unless every check held. */
export async function playScenario(
  flags: { readonly operand: string; readonly keep: boolean },
  ctx: RoleContext,
): Promise<void> {
  const scenario = await readScenario(flags.operand, ctx);
  const folder = await ctx.files.makeTemporaryFolder("rolecall-demo-");
  const startedAtMs = ctx.clock.nowMs();
  const checks: Check[] = [];
  try {
    using view = progressView(ctx.terminal, ctx.clock.nowMs);
    await using stage = new Stage(ctx, folder, view);
    for (const act of scenario.acts) await playAct(act, stage);
    checks.push(...stage.checks);
    const tookMs = ctx.clock.nowMs() - startedAtMs;
    ctx.finish({
      text: closingTable(checks, tookMs, widthOf(ctx.terminal)),
      json: { title: scenario.title, tookMs: Math.round(tookMs), checks },
      report: {
        title: scenario.title,
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
            }; every number was measured in this run.`,
          },
          ...stage.sections,
        ],
      },
    });
  } finally {
    if (flags.keep) {
      ctx.emit({
        type: "stage.reported",
        program: "demo",
        text: `the programs' files and event logs are in ${folder}`,
      });
    } else await ctx.files.remove(folder);
  }
  const failed = checks.filter(({ held }) => !held);
  if (failed.length > 0) {
    throw new RunError(
      "checks-failed",
      `${failed.length} of ${checks.length} checks did not hold: ${
        failed.map(({ check }) => check).join("; ")
      }`,
    );
  }
}

function playAct(act: Act, stage: Stage): Promise<void> {
  switch (act.act) {
    case "echo":
      return playEcho(act, stage);
    case "distribution":
      return playDistribution(act, stage);
    case "cdn":
      return playCdn(act, stage);
  }
}

async function readScenario(
  name: string,
  ctx: RoleContext,
): Promise<Scenario> {
  const own = ctx.files.includedPath("scenarios", `${name}.json`);
  const path = /^[a-z0-9-]+$/.test(name) && await ctx.files.stat(own) !== null
    ? own
    : name;
  let bytes: Uint8Array;
  try {
    bytes = await ctx.files.read(path, { maxBytes: MAX_SCENARIO_BYTES });
  } catch (error) {
    const known = await ctx.files.list(ctx.files.includedPath("scenarios"));
    throw new InputError(
      `there is no scenario "${name}"; known are ${
        known.map((file) => file.name.replace(/\.json$/, "")).join(", ")
      }, or give the file of one`,
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
