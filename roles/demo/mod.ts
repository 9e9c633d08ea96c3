import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { NUMBERS_FLAGS, PROGRAMS_FLAGS } from "./flags.ts";
import { playScenario } from "./play.ts";
import { standBy } from "./stage/stand_by.ts";
import { SCENARIOS } from "./scenario/scenarios.ts";

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
    "rolecall demo distribution --clients 1,2,5,10 --out report",
    "rolecall demo distribution --simulate --clients 1,10,100,1000",
    "rolecall demo streaming --trace 3g --clients 6 --out report",
    "rolecall demo dns --ttl 1s,4s,16s --out report",
    "rolecall demo my-lesson.json --seed 7",
    "rolecall demo --stand-by --token lab-in-room-7",
    "rolecall demo distribution --on 10.0.0.2:8090 --on 10.0.0.3:8090 --token lab-in-room-7",
  ],
  modes: {
    play: mode({
      summary:
        "Play a scenario: on this machine, whose loopback addresses stand for the lab's machines, or on those, with --on",
      flags: {
        simulate: flag.toggle({
          help:
            "Plays swarms in virtual time: the same peers' code without processes, repeatable with --seed, N up to 10,000",
        }),
        ...NUMBERS_FLAGS,
        ...PROGRAMS_FLAGS,
      },
      operand: {
        placeholder: "SCENARIO",
        help: `The file of a scenario (JSON), or one of these: ${
          Object.entries(SCENARIOS).map(([name, what]) => `${name} (${what})`)
            .join("; ")
        }`,
        choices: Object.keys(SCENARIOS),
      },
      run: playScenario,
    }),
    standBy: mode({
      endless: true,
      summary:
        "Stands by as a machine of the lab: a demo with --on starts its programs here",
      flags: {
        ...serverFlags({ port: 8090 }),
        standBy: flag.toggle({
          help: "Waits for demos that are played on this machine too",
        }),
        token: flag.text({
          help:
            "What a demo has to know, 8 characters or more (default: drawn by lot, and printed)",
          secret: true,
        }),
      },
      chosenBy: "standBy",
      run: standBy,
    }),
  },
};
