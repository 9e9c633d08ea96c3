import { join } from "@std/path";
import type { CommonValues } from "../cli/common.ts";
import type { RunError } from "../core/errors.ts";
import type { RolecallEvent } from "../events/mod.ts";
import type { Clock } from "../io/clock.ts";
import type { FileAppender, Files } from "../io/files.ts";
import type { Net } from "../io/net.ts";
import { sectionsOfResult } from "../report/result_sections.ts";
import type { ReportSection } from "../report/report.ts";
import type { Admin } from "./admin.ts";
import { AdminPages } from "./admin_pages.ts";
import { emitter, type Sink } from "./emitter.ts";
import { jsonLog, terminalLog, textLog } from "./log.ts";

/** The sinks of one run, as its common flags ask for them. Disposing closes them. */
export interface Observed extends AsyncDisposable {
  /** The `emit` of the RoleContext. */
  readonly emit: (event: RolecallEvent) => void;
  /** What the role adds to the admin endpoint. */
  readonly pages: AdminPages;
  /** What there is to say of the run itself, after a server's `role.listening`: that comes first. */
  readonly introduction: readonly RolecallEvent[];
  /** Why a file of events has not all of them; undefined when none has failed. */
  readonly failure: () => RunError | undefined;
  /** Takes the log's passing line off the terminal, before something else is written there. */
  settle(): void;
  /** Writes `report.html` and the charts when `--out` was given; a result without a report becomes plain tables. */
  writeReport(
    result: {
      readonly json: unknown;
      readonly files?: readonly {
        readonly name: string;
        readonly text: string;
      }[];
      readonly report?: {
        readonly title: string;
        readonly sections: readonly ReportSection[];
      };
    },
  ): Promise<void>;
}

/** Who runs, and with which flags. */
interface Run {
  readonly role: string;
  readonly name: string;
  readonly version: string;
  readonly common: CommonValues;
  readonly config: unknown;
}

/** What sinks write to. */
interface World {
  readonly clock: Clock;
  readonly files: Files;
  readonly net: Net;
  readonly writeError: (text: string) => void;
  /** Width of the terminal stderr is; null where it is none. */
  readonly errorColumns: (() => number) | null;
}

/** Opens the log, the event files and the admin endpoint. */
export async function observe(run: Run, world: World): Promise<Observed> {
  const { role, name, common } = run;
  await using opened = new AsyncDisposableStack();
  const { log, settle } = openLog(common, world);
  const sinks: Sink[] = [log];
  const records: FileAppender[] = [];
  const emit = emitter({ role, name }, world.clock, sinks);
  const record = async (path: string) => {
    const file = opened.use(
      await world.files.appender(
        path,
        ({ message: reason }) => emit({ type: "file.failed", path, reason }),
      ),
    );
    records.push(file);
    sinks.push((event) => file.append(`${JSON.stringify(event)}\n`));
  };
  if (common.events !== undefined) await record(common.events);
  if (common.out !== undefined) {
    const path = join(common.out, "events.jsonl");
    await world.files.writeAtomic(path, new Uint8Array(0));
    await record(path);
  }
  const pages = new AdminPages();
  let admin: Admin | undefined;
  if (common.admin !== undefined) {
    const { parseAdminAddress, serveAdmin } = await import("./admin.ts");
    admin = opened.use(serveAdmin(
      world,
      parseAdminAddress(common.admin),
      { role, name, version: run.version, config: run.config, pages },
    ));
    sinks.push(admin.sink);
  }
  const closing = opened.move();
  return {
    emit,
    failure: () => records.find(({ failure }) => failure)?.failure,
    settle,
    pages,
    introduction: admin === undefined
      ? []
      : [{ type: "admin.listening", host: admin.host, port: admin.port }],
    async writeReport({ json, report, files = [] }) {
      if (common.out === undefined) return;
      const { reportFiles } = await import("../report/html.ts");
      const shown = report ??
        { title: `rolecall ${role}`, sections: sectionsOfResult(json) };
      for (const file of [...reportFiles(shown), ...files]) {
        await world.files.writeAtomic(
          join(common.out, file.name),
          new TextEncoder().encode(file.text) as Uint8Array<ArrayBuffer>,
        );
      }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function openLog(
  common: CommonValues,
  { writeError, errorColumns }: World,
): { readonly log: Sink; readonly settle: () => void } {
  const settle = () => {};
  if (common.log === "json") return { log: jsonLog(writeError), settle };
  if (errorColumns === null) {
    return { log: textLog(writeError, { colours: false }), settle };
  }
  const shown = terminalLog(writeError, {
    colours: false,
    columns: errorColumns,
  });
  return { log: shown.sink, settle: shown.settle };
}
