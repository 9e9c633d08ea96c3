import { flag } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { playScenario } from "./play.ts";

/** Plays a scenario of real roles in processes of their own and measures it. */
export const demo: Role = {
  name: "demo",
  summary: "Scripted classroom demos with measured results",
  events: [
    "act.started",
    "program.started",
    "program.ended",
    "stage.reported",
    "check.finished",
  ],
  examples: [
    "rolecall demo all",
    "rolecall demo all --out report",
    "rolecall demo my-lesson.json --seed 7",
  ],
  modes: {
    play: mode({
      summary:
        "Play a scenario on this machine; loopback addresses stand for the lab's machines",
      flags: {
        keep: flag.toggle({
          help: "Keep the folder with the programs' files and event logs",
        }),
      },
      operand: {
        placeholder: "SCENARIO",
        help: "`all`, or the file of a scenario (JSON)",
      },
      run: playScenario,
    }),
  },
};
