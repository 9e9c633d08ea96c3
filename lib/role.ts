import type { Flags, FlagValues } from "./cli/flags.ts";
import type { Rng } from "./core/rng.ts";
import type { EventType, RolecallEvent } from "./events/mod.ts";
import type { Clock } from "./io/clock.ts";
import type { Files } from "./io/files.ts";
import type { Net } from "./io/net.ts";
import type { Processes } from "./io/processes.ts";
import type { Terminal } from "./io/terminal.ts";
import type { AdminPages } from "./observe/admin_pages.ts";
import type { ReportSection } from "./report/report.ts";

/** Everything a role may touch of the outside world. Tests and simulations pass their own. */
export interface RoleContext {
  /** How this instance calls itself (`--name`). */
  readonly name: string;
  readonly clock: Clock;
  /** Seeded by `--seed`; every random choice comes from here. */
  readonly rng: Rng;
  readonly net: Net;
  readonly files: Files;
  readonly processes: Processes;
  readonly terminal: Terminal;
  /** What the role adds to the endpoint of `--admin`. */
  readonly admin: AdminPages;
  /** Aborted by Ctrl-C, by the scenario runner, by a test; a role then closes its sockets and returns within 5 s. */
  readonly signal: AbortSignal;
  /** The one account of what happened: log, event file, metrics and dashboards read it. */
  emit(event: RolecallEvent): void;
  /** Hands over the result of a role that ends by itself; printed when `run` returns. */
  finish(result: RoleResult): void;
}

/** What a role that ends by itself has to say. */
export interface RoleResult {
  /** For people: a short table, printed on stdout. */
  readonly text: string;
  /** For programs: printed instead of `text` with `--json`. */
  readonly json: unknown;
  /** Tables and charts of `report.html` with `--out DIR`; without it, `json` as tables. */
  readonly report?: {
    readonly title: string;
    readonly sections: readonly ReportSection[];
  };
  /** More for `--out DIR`, such as logs that other tools read. */
  readonly files?: readonly { readonly name: string; readonly text: string }[];
}

/** One way to run a role, such as server or client. */
export interface Mode<F extends Flags> {
  readonly summary: string;
  readonly flags: F;
  /** The flag whose presence chooses this mode; the first mode of a role has none. */
  readonly chosenBy?: keyof F & string;
  /** It goes on until it is stopped, or does so with this flag, and has no result then: `--json` is refused. */
  readonly endless?: true | keyof F & string;
  /** What stands after the flags, such as `FILE.torrent|MAGNET`; without it the mode takes none. */
  readonly operand?: {
    readonly placeholder: string;
    readonly help: string;
    readonly optional?: boolean;
    /** Words to complete. */
    readonly choices?: readonly string[];
  };
  /** Resolves when the role has finished or `ctx.signal` was aborted and everything is closed. `operand` is "" when there was none. */
  run(
    flags: FlagValues<F> & { readonly operand: string },
    ctx: RoleContext,
  ): Promise<void>;
}

/** A program of the chapter. */
export interface Role {
  readonly name: string;
  readonly summary: string;
  /** Event types this role emits, beside those every role does (`role.*`, `protocol.violated`); a test checks that it emits no others. */
  readonly events: readonly EventType[];
  /** Copied into `--help`; every line is parsed by a test. */
  readonly examples: readonly string[];
  // deno-lint-ignore no-explicit-any
  readonly modes: Readonly<Record<string, Mode<any>>>;
}

/** What `--help` needs of a role without loading it. */
export interface RoleEntry {
  readonly name: string;
  readonly summary: string;
  /** Imports the role's module; only the chosen role's code is loaded. */
  load(): Promise<Role>;
}

/** Ties the types of a mode's `flags` to the argument of its `run`. */
export function mode<F extends Flags>(definition: Mode<F>): Mode<F> {
  return definition;
}
