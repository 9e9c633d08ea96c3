import { join } from "@std/path";
import { RunError } from "../../../lib/core/errors.ts";
import type { EventType, RecordOf } from "../../../lib/events/mod.ts";
import type { RunningRole } from "../../../lib/io/processes.ts";
import type { ReportSection } from "../../../lib/report/report.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { FarMachine } from "./far_machine.ts";
import type { ProgressView } from "./view.ts";

/** Longest wait for one event of a program on stage. */
const EVENT_MS = 60_000;

/** One thing a scenario promises, and what was measured. */
export interface Check {
  readonly act: string;
  readonly check: string;
  readonly held: boolean;
  readonly measured: string;
}

/** A program that an act has started. */
export interface Player {
  readonly name: string;
  readonly role: RunningRole;
  /** The first event of `type`, past or future, that `matches`. @throws {RunError} After 60 s, or when the program ends first. */
  until<T extends EventType>(
    type: T,
    matches?: (event: RecordOf<T>) => boolean,
  ): Promise<RecordOf<T>>;
  /** All events of `type` so far. */
  all<T extends EventType>(type: T): readonly RecordOf<T>[];
}

/** What acts use: starts programs, keeps their promises, collects results. Disposing of it ends every program. */
export class Stage implements AsyncDisposable {
  /** The world of the demo role itself. */
  readonly ctx: RoleContext;
  /** A folder for the programs' files. */
  readonly folder: string;
  /** Checks so far, in order. */
  readonly checks: Check[] = [];
  /** Parts of the report so far, in order. */
  readonly sections: ReportSection[] = [];
  /** What acts measured, for `--json`. */
  readonly figures: Readonly<Record<string, unknown>>[] = [];
  readonly #view: ProgressView;
  readonly #watchable: boolean;
  readonly #machines: readonly FarMachine[];
  readonly #players: Player[] = [];
  /** Who stops the demo need not be a terminal, which stops its programs as well: an act waits for them. */
  readonly #stop = () => this.#stopAll();
  #act = "";
  #nextHost = 2;
  #nextMachine = 0;

  /** Opens an empty stage. @param options.watchable Lets a dashboard follow the programs. */
  constructor(
    ctx: RoleContext,
    { folder, view, watchable, machines }: {
      readonly folder: string;
      readonly view: ProgressView;
      readonly watchable: boolean;
      readonly machines: readonly FarMachine[];
    },
  ) {
    this.ctx = ctx;
    this.folder = folder;
    this.#view = view;
    this.#watchable = watchable;
    this.#machines = machines;
    ctx.signal.addEventListener("abort", this.#stop, { once: true });
  }

  /** Whether other machines play too. */
  get isFar(): boolean {
    return this.#machines.length > 0;
  }

  /** Begins an act: its checks carry its name. */
  begin(act: string, title: string): void {
    this.#act = act;
    this.#view.heading(title);
    this.ctx.emit({ type: "act.started", act, title });
  }

  /** Begins a part of an act. */
  part(title: string): void {
    this.#view.note(`--- ${title}`);
    this.ctx.emit({ type: "stage.reported", program: this.#act, text: title });
  }

  /** The address of the next machine of the lab. Without any, a loopback address stands for one: 127.0.0.2, 127.0.0.3 … */
  machine(): string {
    if (!this.isFar) return this.machineHere();
    const at = this.#nextMachine++ % this.#machines.length;
    return this.#machines[at]!.host;
  }

  /** A loopback address that stands for a machine of the lab. */
  machineHere(): string {
    return `127.0.0.${this.#nextHost++}`;
  }

  /**
   * Starts a role in a process of its own: on the machine of the lab whose address its `--host` is, or else here. Its
   * events are also recorded in the stage's folder.
   */
  start(name: string, args: readonly string[]): Player {
    this.ctx.signal.throwIfAborted();
    const host = args[args.indexOf("--host") + 1];
    const machine = args.includes("--host")
      ? this.#machines.find((machine) => machine.host === host)
      : undefined;
    if (machine === undefined) this.#checkLoopback(host);
    const all = [
      ...[...args, "--name", name],
      ...["--events", join(this.folder, `${name}.events.jsonl`)],
      ...(!this.#watchable
        ? []
        : ["--admin", machine === undefined ? "0" : "0.0.0.0:0"]),
    ];
    const role = machine === undefined
      ? this.ctx.processes.startSelf(all)
      : machine.start(all, this.folder);
    this.ctx.emit({
      type: "program.started",
      program: name,
      pid: role.pid,
      ...(machine === undefined ? {} : { machine: machine.host }),
      command: `rolecall ${args.join(" ")}`,
    });
    void role.exited.then(({ code }) =>
      this.ctx.emit({ type: "program.ended", program: name, exitCode: code })
    );
    const player: Player = {
      name,
      role,
      until: async (type, matches = () => true) =>
        await role.until(
          (event) => event.type === type && matches(event as never),
          { timeoutMs: EVENT_MS },
        ) as never,
      all: (type) =>
        role.events.filter((event) => event.type === type) as never,
    };
    this.#players.push(player);
    return player;
  }

  /** Says how a system gets the loopback addresses that it lacks, many at once: a scenario needs several. */
  #checkLoopback(host: string | undefined): void {
    const [, network, first] = /^(127\.\d+\.\d+\.)(\d+)$/.exec(host ?? "") ??
      [];
    if (host === undefined || network === undefined) return;
    try {
      void this.ctx.net.listenUdp({ host, port: 0 })[Symbol.asyncDispose]();
    } catch (error) {
      throw new RunError(
        "address-not-available",
        `Cannot play a machine of the lab at ${host}: this system has no such loopback address; add it and those behind it (macOS: for n in {${first}..${
          Math.min(254, Number(first) + 38)
        }}; do sudo ifconfig lo0 alias ${network}$n; done)`,
        { cause: error },
      );
    }
  }

  /** Waits until `player` has ended well and returns its result document (`--json`). */
  async result(player: Player): Promise<unknown> {
    const { code, stdout } = await player.role.exited;
    if (code !== 0) {
      const last = player.all("role.finished").at(-1);
      throw new RunError(
        "program-failed",
        `${player.name} failed with exit code ${code}: ${
          last?.error ?? "see its events"
        }`,
      );
    }
    if (player.all("role.stopping").length > 0) {
      throw new RunError(
        "program-stopped",
        `${player.name} was stopped before it had a result`,
      );
    }
    return JSON.parse(stdout);
  }

  /** Ends programs that an act no longer needs. */
  async end(...players: readonly Player[]): Promise<void> {
    await Promise.all(
      players.map((player) => player.role[Symbol.asyncDispose]()),
    );
  }

  /** Shows how far a program is; the latest text per program stays on screen. */
  progress(name: string, text: string): void {
    this.#view.row(name, text);
  }

  /** Says something that stays. */
  say(program: string, text: string): void {
    this.#view.note(`${program}: ${text}`);
    this.ctx.emit({ type: "stage.reported", program, text });
  }

  /** Notes whether a promise of the scenario held, with the numbers measured. */
  check(check: string, held: boolean, measured: string): void {
    const row: Check = { act: this.#act, check, held, measured };
    this.checks.push(row);
    this.#view.note(`${held ? "✓" : "✗"} ${check}: ${measured}`);
    this.ctx.emit({ type: "check.finished", ...row });
  }

  /** Ends every program, last started first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ctx.signal.removeEventListener("abort", this.#stop);
    this.#stopAll();
    await this.end(...this.#players);
  }

  #stopAll(): void {
    for (const player of this.#players.toReversed()) player.role.stop();
  }
}
