/**
 * The lecture's local DNS server, without sockets: it takes clients' questions, asks the authorities for them, and
 * remembers what they say.
 *
 * Each question that the cache cannot answer is a {@linkcode resolve} walk; equal questions share one, so that a crowd
 * of clients is one client to the authorities. A walk that takes long, or fails, is answered with what has expired if
 * there is that (RFC 8767), and what failed is not tried again at once (RFC 9520).
 */
import { type Cidr, formatHostPort } from "../../core/address.ts";
import type { Machine } from "../../core/machine.ts";
import type { RecursionEvent } from "../../events/recursion.ts";
import { RCODES } from "../codes.ts";
import { lowerName } from "../name.ts";
import {
  answerOf,
  type CachedAbout,
  cachedAnswer,
  type CacheState,
  type Ending,
  failure,
  finishedEvent,
  startedEvent,
  type Waiting,
} from "./answer.ts";
import { questionKey, ResolverCache } from "./cache.ts";
import {
  type ClientAnswer,
  type ClientQuestion,
  encodeClientAnswer,
  readClientQuestion,
  subnetOf,
} from "./client.ts";
import { DelegationTable } from "./delegations.ts";
import type {
  ResolverInput,
  ResolverOptions,
  ResolverOutput,
} from "./in_out.ts";
import { ServerTable } from "./servers.ts";
import { Task } from "./task.ts";
import type { Resolved, Walker } from "./walker.ts";

/** Questions that are looked for at the same time; more are refused with SERVFAIL. */
export const MAX_TASKS = 512;
/** Clients that wait for the same question. */
const MAX_WAITING = 256;
/** RFC 9520 §3.2: what failed is not tried again for so long; RFC 8767 §5: longer if something stale can be served. */
const FAILURE_MS = 5000;
const STALE_RECHECK_MS = 30_000;
const MAX_FAILURES = 4096;
/** Why something stale is served while a walk goes on. */
const LATE = "the authorities take their time";
const DAY_MS = 86_400_000;

/** See the head of this file. */
export class Resolver implements Machine<ResolverInput, ResolverOutput> {
  readonly #options: ResolverOptions;
  readonly #cache: ResolverCache;
  readonly #delegations: DelegationTable;
  readonly #servers: ServerTable;
  readonly #tasks = new Map<string, Task<Waiting>>();
  readonly #exchanges = new Map<number, Task<Waiting>>();
  readonly #failures = new Map<
    string,
    { readonly reason: string; readonly untilMs: number }
  >();
  #outputs: ResolverOutput[] = [];
  #resolutions = 0;
  #exchangeCount = 0;

  /** Creates a resolver that knows the root and nothing else. */
  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#cache = new ResolverCache({
      maxEntries: options.maxEntries ?? 10_000,
      staleMs: options.staleMs ?? DAY_MS,
    });
    this.#delegations = new DelegationTable(options.root);
    this.#servers = new ServerTable(options.rng);
  }

  /** When to feed the next timeout. */
  get deadlineMs(): number {
    let deadlineMs = Infinity;
    for (const task of this.#tasks.values()) {
      deadlineMs = Math.min(deadlineMs, task.deadlineMs);
    }
    return deadlineMs;
  }

  /** See {@linkcode Machine.handle}. */
  handle(input: ResolverInput, nowMs: number): ResolverOutput[] {
    this.#outputs = [];
    if (input.kind === "query") this.#query(input, nowMs);
    else if (input.kind === "timeout") this.#timeout(nowMs);
    else {
      const task = this.#exchanges.get(input.exchangeId);
      const outcome = task === undefined
        ? undefined
        : input.kind === "disconnected"
        ? { kind: "disconnected" as const }
        : task.read(input.bytes, input.from);
      if (task !== undefined && outcome !== undefined) {
        this.#run(task, () => task.resume(outcome, nowMs), nowMs);
      }
    }
    return this.#outputs;
  }

  #emit(event: RecursionEvent): void {
    this.#outputs.push({ kind: "event", event });
  }

  #query(
    input: ResolverInput & { readonly kind: "query" },
    nowMs: number,
  ): void {
    const { clientId, sender, bytes } = input;
    const question = readClientQuestion(bytes, sender);
    if (question === undefined) {
      this.#outputs.push({ kind: "reply", clientId, bytes: undefined });
      return;
    }
    if (question.verdict !== RCODES.NOERROR) {
      if (question.refusal !== "") {
        const remote = formatHostPort(sender);
        const reason = question.refusal;
        this.#emit({ type: "recursion.refused", remote, reason });
      }
      this.#reply(clientId, question, failure(question.verdict));
      return;
    }
    this.#resolutions += 1;
    const waiting = {
      clientId,
      question,
      resolution: this.#resolutions,
      sinceMs: nowMs,
    };
    this.#look(waiting, nowMs);
  }

  /** Answers from the cache, or joins or starts a walk. */
  #look(waiting: Waiting, nowMs: number): void {
    const { question } = waiting;
    const { clientSubnets = "forward" } = this.#options;
    const client = subnetOf(question, clientSubnets);
    const key = questionKey(question, client);
    const fresh = this.#cached(question, { client, nowMs, mayBeStale: false });
    if (fresh !== undefined) {
      this.#started(waiting, "hit");
      this.#finish(waiting, { answer: fresh, source: "cache", nowMs });
      return;
    }
    const stale = this.#cached(question, { client, nowMs, mayBeStale: true });
    const known = this.#failures.get(key);
    const task = this.#tasks.get(key);
    const reason = known !== undefined && nowMs < known.untilMs
      ? known.reason
      : task?.isLate === true && stale !== undefined
      ? LATE
      : undefined;
    if (reason !== undefined) {
      this.#started(waiting, stale === undefined ? "failed" : "stale");
      this.#finish(waiting, {
        answer: stale ?? failure(RCODES.SERVFAIL),
        source: stale === undefined ? "failure" : "stale",
        reason,
        nowMs,
      });
      return;
    }
    if (task !== undefined && task.waiting.length < MAX_WAITING) {
      task.waiting.push({ ...waiting, resolution: task.walker.resolution });
      task.walker.step += 1;
      this.#started(waiting, "joined", task.walker);
    } else if (task !== undefined || this.#tasks.size >= MAX_TASKS) {
      this.#started(waiting, "failed");
      this.#finish(waiting, {
        answer: failure(RCODES.SERVFAIL),
        source: "failure",
        reason: "too many questions at once",
        nowMs,
      });
    } else {
      this.#started(waiting, stale === undefined ? "miss" : "stale");
      this.#start(waiting, {
        key,
        client,
        nowMs,
        hasStale: stale !== undefined,
      });
    }
  }

  #start(
    waiting: Waiting,
    { key, client, nowMs, hasStale }: {
      readonly key: string;
      readonly client: Cidr | undefined;
      readonly nowMs: number;
      readonly hasStale: boolean;
    },
  ): void {
    const walker: Walker = {
      cache: this.#cache,
      delegations: this.#delegations,
      servers: this.#servers,
      rng: this.#options.rng,
      secretRng: this.#options.secretRng ?? this.#options.rng,
      port: this.#options.port,
      mixesCase: this.#options.mixesCase ?? true,
      client,
      resolution: waiting.resolution,
      step: 1,
      sentMessages: 0,
      nowMs,
      sinceMs: nowMs,
      emit: (event) => this.#emit(event),
    };
    const { type } = waiting.question;
    // What is remembered should not have the capitals of whoever asked first
    const name = lowerName(waiting.question.name);
    const task = new Task<Waiting>({ key, walker, name, type, hasStale });
    task.waiting.push(waiting);
    this.#tasks.set(key, task);
    this.#run(task, () => task.resume(undefined, nowMs), nowMs);
  }

  /** Goes on with a walk: to its next message, or to its end. */
  #run(
    task: Task<Waiting>,
    go: () => Resolved | undefined,
    nowMs: number,
  ): void {
    if (task.exchangeId !== undefined) {
      this.#exchanges.delete(task.exchangeId);
      this.#outputs.push({ kind: "close", exchangeId: task.exchangeId });
      task.exchangeId = undefined;
    }
    const resolved = go();
    const exchange = task.exchange;
    if (resolved !== undefined) this.#end(task, resolved, nowMs);
    else if (exchange !== undefined) {
      this.#exchangeCount += 1;
      task.exchangeId = this.#exchangeCount;
      this.#exchanges.set(this.#exchangeCount, task);
      this.#outputs.push({
        kind: "send",
        exchangeId: this.#exchangeCount,
        transport: exchange.transport,
        to: exchange.server,
        bytes: exchange.bytes,
      });
    }
  }

  #timeout(nowMs: number): void {
    for (const task of [...this.#tasks.values()]) {
      if (nowMs >= task.staleAtMs) this.#serveStale(task, nowMs);
      if (nowMs >= task.endsAtMs) {
        this.#run(task, () => task.giveUp(), nowMs);
      } else if (nowMs >= task.waitsUntilMs) {
        this.#run(task, () => task.resume({ kind: "timeout" }, nowMs), nowMs);
      }
    }
  }

  /** RFC 8767 §5: whoever has waited long enough gets what has expired; the walk goes on. */
  #serveStale(task: Task<Waiting>, nowMs: number): void {
    task.staleAtMs = Infinity;
    const { client } = task.walker;
    for (const waiting of task.waiting.splice(0)) {
      const { question } = waiting;
      const stale = this.#cached(question, { client, nowMs, mayBeStale: true });
      if (stale === undefined) task.waiting.push(waiting);
      else {
        this.#finish(waiting, {
          answer: stale,
          source: "stale",
          reason: LATE,
          nowMs,
          task,
        });
      }
    }
  }

  /** Answers all who wait for a walk that has ended. */
  #end(task: Task<Waiting>, resolved: Resolved, nowMs: number): void {
    this.#tasks.delete(task.key);
    const { client } = task.walker;
    for (const waiting of task.waiting) {
      if (resolved.kind === "resolved") {
        const answer = answerOf(resolved.findings, resolved.scopeLength);
        this.#finish(waiting, { answer, source: "authorities", nowMs, task });
        continue;
      }
      const { question } = waiting;
      const stale = this.#cached(question, { client, nowMs, mayBeStale: true });
      this.#finish(waiting, {
        answer: stale ?? failure(RCODES.SERVFAIL),
        source: stale === undefined ? "failure" : "stale",
        reason: resolved.reason,
        nowMs,
        task,
      });
    }
    if (resolved.kind === "resolved") this.#failures.delete(task.key);
    else {
      if (this.#failures.size >= MAX_FAILURES) this.#failures.clear();
      this.#failures.set(task.key, {
        reason: resolved.reason,
        // Whether or not anybody still waited for it
        untilMs: nowMs + (task.hasStale ? STALE_RECHECK_MS : FAILURE_MS),
      });
    }
  }

  #cached(question: ClientQuestion, about: CachedAbout) {
    return cachedAnswer(this.#cache, question, about);
  }

  #started(waiting: Waiting, cache: CacheState, joined?: Walker): void {
    this.#emit(startedEvent(waiting, cache, joined));
  }

  #finish(waiting: Waiting, end: Ending): void {
    if (end.task !== undefined) end.task.walker.step += 1;
    this.#emit(finishedEvent(waiting, end));
    this.#reply(waiting.clientId, waiting.question, end.answer);
  }

  #reply(
    clientId: number,
    question: ClientQuestion,
    answer: ClientAnswer,
  ): void {
    const bytes = encodeClientAnswer(question, answer);
    this.#outputs.push({ kind: "reply", clientId, bytes });
  }
}
