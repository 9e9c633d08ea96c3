import { join, relative } from "@std/path";
import { formatHostPort } from "../../../lib/core/address.ts";
import { EventStreamReader } from "../../../lib/core/event_stream.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import type { EventRecord } from "../../../lib/events/mod.ts";
import { EventLog } from "../../../lib/io/event_log.ts";
import { LinkedAbort, OVER } from "../../../lib/io/linked_abort.ts";
import type { Address } from "../../../lib/io/net.ts";
import type { RunningRole } from "../../../lib/io/processes.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { FOLDER } from "./far_protocol.ts";

/** Longest wait for the head of an answer. */
const HEAD_MS = 10_000;
/** Longest line of a program's events: its result is one of them. */
const MAX_LINE_BYTES = 1 << 24;
/** A file is sent in pieces of this size. */
const PIECE_BYTES = 1 << 23;
/** Longest time for all that a program made to come back. */
const FETCH_BACK_MS = 300_000;
/** Largest file that comes back. */
const MAX_FILE_BYTES = 1 << 28;
/** Times the clock is asked for; the quickest answer counts. */
const CLOCK_ROUNDS = 7;
/** How long a program may take to stop before we stop listening, which ends it. */
const STOPPING_MS = 8000;

/** A machine that stands by (`demo --stand-by`), as the demo that is played on it sees it. */
export class FarMachine {
  /** Its address, on which its programs listen. */
  readonly host: string;
  readonly #base: string;
  readonly #token: string;
  readonly #ctx: RoleContext;
  /** How far its clock is ahead of ours. */
  #aheadMs = 0;
  /** Files of the stage that are there already. */
  readonly #sent = new Map<string, Promise<void>>();

  private constructor(at: Address, token: string, ctx: RoleContext) {
    this.host = at.host;
    this.#base = `http://${formatHostPort(at)}`;
    this.#token = token;
    this.#ctx = ctx;
  }

  /** Makes sure that the machine is there, and compares clocks. @throws {RunError} If it is not, or the token is wrong. */
  static async meet(
    at: Address,
    { token, ctx }: { readonly token: string; readonly ctx: RoleContext },
  ): Promise<FarMachine> {
    const machine = new FarMachine(at, token, ctx);
    using end = new LinkedAbort(ctx.signal, AbortSignal.timeout(HEAD_MS));
    const { signal } = end;
    let quickestMs = Infinity;
    for (let round = 0; round < CLOCK_ROUNDS; round++) {
      const askedMs = ctx.clock.wallMs();
      const answer = await machine.#ask("/time", { signal }).catch((error) => {
        if (!(error instanceof RunError && error.code === "fetch-failed")) {
          throw error;
        }
        throw new RunError(
          error.code,
          `${error.message}; \`rolecall demo --stand-by\` has to run there`,
          { cause: error },
        );
      });
      const { wallMs } = await answer.json() as { readonly wallMs: number };
      const tookMs = ctx.clock.wallMs() - askedMs;
      if (tookMs >= quickestMs) continue;
      quickestMs = tookMs;
      machine.#aheadMs = wallMs - (askedMs + tookMs / 2);
    }
    return machine;
  }

  /** Starts a role there. What its arguments name of `folder` is sent before, and what it made there comes back when it has ended. */
  start(args: readonly string[], folder: string): RunningRole {
    return new FarRole({
      ctx: this.#ctx,
      told: (signal) => this.#start(args, folder, signal),
      stop: (id) =>
        void this.#ask(`/programs/${id}`, {
          method: "DELETE",
          signal: AbortSignal.timeout(HEAD_MS),
        })
          .then((answer) => answer.body?.cancel(), () => {}),
      fetchBack: () => this.#fetchBack(args, folder),
      eventOf: (event) => this.#byOurClock(event),
      name: `${args[0]} at ${this.host}`,
    });
  }

  #byOurClock(event: EventRecord): EventRecord {
    const atMs = Date.parse(event.time) - this.#aheadMs;
    return { ...event, time: new Date(atMs).toISOString() };
  }

  async #start(
    args: readonly string[],
    folder: string,
    signal: AbortSignal,
  ): Promise<Response> {
    for (const path of pathsIn(args, folder)) {
      await this.#send(path, folder, signal);
    }
    const far = args.map((arg) => arg.replaceAll(folder, FOLDER));
    return await this.#ask("/programs", {
      ...{ method: "POST", body: JSON.stringify({ args: far }), signal },
    });
  }

  /** Sends a file, or what is in a folder, once. */
  async #send(
    path: string,
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { files } = this.#ctx;
    const found = await files.stat(path);
    if (found?.kind === "folder") {
      for (const { name } of await files.list(path)) {
        await this.#send(join(path, name), folder, signal);
      }
    }
    if (found?.kind !== "file") return;
    let sending = this.#sent.get(path);
    if (sending === undefined) {
      sending = this.#sendFile(path, folder, signal);
      this.#sent.set(path, sending);
    }
    await sending;
  }

  async #sendFile(
    path: string,
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { files } = this.#ctx;
    const bytes = await files.read(path, { maxBytes: MAX_FILE_BYTES });
    const url = urlOf("files", relative(folder, path));
    for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES) {
      const body = bytes.subarray(at, at + PIECE_BYTES);
      const answer = await this.#ask(`${url}?at=${at}`, {
        ...{ method: "PUT", body, signal },
      });
      await answer.body?.cancel();
    }
  }

  /** Brings what a program made there; what we sent is ours already. */
  async #fetchBack(args: readonly string[], folder: string): Promise<void> {
    using end = new LinkedAbort(
      this.#ctx.signal,
      AbortSignal.timeout(FETCH_BACK_MS),
    );
    const { signal } = end;
    for (const path of pathsIn(args, folder)) {
      const url = urlOf("list", relative(folder, path));
      const list = await this.#ask(url, { signal });
      for (const name of await list.json() as readonly string[]) {
        const here = join(folder, name);
        if (this.#sent.has(here)) continue;
        const file = await this.#ask(urlOf("files", name), { signal });
        const bytes = new Uint8Array(await file.arrayBuffer());
        await this.#ctx.files.writeAtomic(here, bytes);
      }
    }
  }

  /** @throws {RunError} If it does not answer, or with an error. */
  async #ask(
    path: string,
    options: {
      readonly method?: string;
      readonly body?: Uint8Array<ArrayBuffer> | string;
      readonly signal: AbortSignal;
    },
  ): Promise<Response> {
    const answer = await this.#ctx.net.fetch(`${this.#base}${path}`, {
      ...options,
      headers: { authorization: `Bearer ${this.#token}` },
      timeoutMs: HEAD_MS,
    });
    if (answer.ok) return answer;
    const said = (await answer.text()).trim();
    throw new RunError("machine-failed", `${this.#base}: ${said}`);
  }
}

/** Arguments that are paths of the folder. */
function pathsIn(args: readonly string[], folder: string): readonly string[] {
  return args.filter((arg) => arg.startsWith(folder));
}

function urlOf(kind: "files" | "list", path: string): string {
  const parts = path.split(/[/\\]/).map(encodeURIComponent);
  return `/${kind}/${parts.join("/")}`;
}

interface FarRoleOptions {
  readonly ctx: RoleContext;
  readonly name: string;
  readonly told: (signal: AbortSignal) => Promise<Response>;
  readonly stop: (id: number) => void;
  readonly fetchBack: () => Promise<void>;
  readonly eventOf: (event: EventRecord) => EventRecord;
}

/** A role on a machine that stands by, followed through what that machine tells. */
class FarRole implements RunningRole {
  readonly exited: RunningRole["exited"];
  readonly #options: FarRoleOptions;
  readonly #log = new EventLog();
  readonly #over: LinkedAbort;
  #pid = 0;
  #isStopped = false;

  constructor(options: FarRoleOptions) {
    this.#options = options;
    this.#over = new LinkedAbort();
    this.exited = this.#follow();
  }

  /** There; 0 until it has started. */
  get pid(): number {
    return this.#pid;
  }

  get events(): readonly EventRecord[] {
    return this.#log.events;
  }

  subscribe(listener: (event: EventRecord) => void): () => void {
    return this.#log.subscribe(listener);
  }

  async until(
    matches: (event: EventRecord) => boolean,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<EventRecord> {
    try {
      return await this.#log.until(matches, timeoutMs);
    } catch (error) {
      throw new RunError(
        "no-such-event",
        `${this.#options.name}: ${
          messageOf(error)
        }; its log ends with:\n${this.#log.tail()}`,
      );
    }
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#pid !== 0) this.#options.stop(this.#pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    const { clock } = this.#options.ctx;
    using late = new LinkedAbort();
    const waited = clock.sleepUntil(clock.nowMs() + STOPPING_MS, late.signal)
      .then(() => this.#over.abort(OVER), () => {});
    await this.exited;
    late.abort(OVER);
    await waited;
  }

  async #follow(): Promise<{ readonly code: number; readonly stdout: string }> {
    let outcome = { code: 1, stdout: "" };
    try {
      const { body } = await this.#options.told(this.#over.signal);
      const reader = new EventStreamReader({ maxLineBytes: MAX_LINE_BYTES });
      for await (const bytes of body ?? []) {
        for (const { event, data } of reader.push(bytes)) {
          const said = JSON.parse(data);
          if (event === "started") this.#begun(said.pid);
          else if (event === "event") {
            this.#log.push(this.#options.eventOf(said));
          } else if (event === "exited") outcome = said;
        }
      }
      if (!this.#over.signal.aborted) await this.#options.fetchBack();
    } catch (error) {
      if (!this.#over.signal.aborted) this.#log.say(messageOf(error));
    }
    this.#log.end();
    return outcome;
  }

  #begun(pid: number): void {
    this.#pid = pid;
    if (this.#isStopped) this.#options.stop(pid);
  }
}
