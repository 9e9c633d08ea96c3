import type { EventTable } from "./table.ts";

/** What a scenario can say. */
export type DemoEvent =
  | {
    readonly type: "act.started";
    readonly act: string;
    readonly title: string;
  }
  | {
    readonly type: "program.started";
    readonly program: string;
    /** 0 when it is started on another machine. */
    readonly pid: number;
    /** The other machine. */
    readonly machine?: string;
    readonly command: string;
  }
  | {
    readonly type: "program.ended";
    readonly program: string;
    readonly exitCode: number;
  }
  | {
    readonly type: "stage.reported";
    readonly program: string;
    readonly text: string;
  }
  | {
    readonly type: "check.finished";
    readonly act: string;
    readonly check: string;
    readonly held: boolean;
    readonly measured: string;
  };

/** See {@linkcode DemoEvent}. */
export const DEMO_EVENTS: EventTable<DemoEvent> = {
  "act.started": { level: "debug", text: (e) => `--- ${e.title}` },
  "program.started": {
    level: "debug",
    text: (e) =>
      `${e.program}${
        e.machine === undefined ? "" : ` on ${e.machine}`
      }: ${e.command}`,
  },
  "program.ended": {
    level: "debug",
    text: (e) => `${e.program} ended with ${e.exitCode}`,
  },
  "stage.reported": { level: "debug", text: (e) => `${e.program}: ${e.text}` },
  "check.finished": {
    level: "debug",
    labels: ["held"],
    text: (e) => `${e.held ? "held" : "FAILED"}: ${e.check} (${e.measured})`,
  },
};
