/**
 * A student's proxy, and the grader's own origin behind it.
 *
 * The student starts the proxy with the grader as its origin: the machine of the grader, port `ROLECALL_ORIGIN_PORT`
 * (8080). Each test asks for paths of its own, which no run before had.
 */
import { type Answer, ask, closeAll, type Question } from "./_http.ts";
import { type Reply, type Script, ScriptedOrigin } from "./_scripted_origin.ts";
import { givenTarget, type Graded, graded, lastingUrl } from "./_target.ts";

/** The port at which a student's proxy finds its origin. */
const ORIGIN_PORT = 8080;
/** Until an answer of `max-age=1` is stale, and a bit: a proxy may count whole seconds. */
const STALE_MS = 2200;

/** What a test has to do with. */
export class Cdn {
  /** The proxy. */
  readonly url: URL;
  readonly origin: ScriptedOrigin;
  readonly #run = crypto.randomUUID().slice(0, 8);
  readonly #gates: PromiseWithResolvers<void>[] = [];
  #paths = 0;

  constructor(url: URL, origin: ScriptedOrigin) {
    this.url = url;
    this.origin = origin;
  }

  /** A path nobody has asked for, at which the origin answers so. */
  path(script: Script | Reply, suffix = ""): string {
    const path = `/${this.#run}/${++this.#paths}${suffix}`;
    this.origin.on(path, script);
    return path;
  }

  /** Asks the proxy. */
  ask(path: string, question?: Question): Promise<Answer> {
    const answer = ask(new URL(path, this.url), question);
    // A test that waits for something else first must not end the whole file.
    answer.catch(() => {});
    return answer;
  }

  /** A promise, and what fulfils it; the end of the test does. */
  gate(): PromiseWithResolvers<void> {
    const gate = Promise.withResolvers<void>();
    this.#gates.push(gate);
    return gate;
  }

  /** Ends what a test has left: a proxy that waits for it could not serve the next one. */
  tidy(): void {
    for (const gate of this.#gates.splice(0)) gate.resolve();
    closeAll();
  }

  /** How often the origin was asked for a path. */
  fetches(path: string): number {
    return this.origin.askedFor(path).length;
  }
}

let shared: Promise<Cdn> | undefined;

async function start(): Promise<Cdn> {
  const given = givenTarget();
  const near = given === undefined || /127\.|localhost|\[::1\]/.test(given);
  const port = given === undefined
    ? 0
    : Number(Deno.env.get("ROLECALL_ORIGIN_PORT") || ORIGIN_PORT);
  const hosts = given === undefined
    ? ["127.0.0.1"]
    : near
    ? ["127.0.0.1", "::1"]
    : ["0.0.0.0"];
  const origin = new ScriptedOrigin(hosts, port);
  const url = await lastingUrl(
    () => ["edge", "--origin", `http://127.0.0.1:${origin.port}`],
  );
  return new Cdn(url, origin);
}

/** One point: see {@linkcode graded}. All tests of a file share the proxy. */
export function cdn(
  name: string,
  run: (cdn: Cdn) => Promise<void>,
  options: Graded = {},
): void {
  graded(name, async (signal) => {
    const cdn = await (shared ??= start());
    signal.addEventListener("abort", () => cdn.tidy());
    await run(cdn);
  }, options);
}

/** Waits until what had `max-age=1` is stale. */
export function untilStale(): Promise<void> {
  return pause(STALE_MS);
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

/** Fields of an answer that may be kept for a minute. */
export const FRESH = {
  "Cache-Control": "max-age=60",
  "Content-Type": "text/plain",
};

/** An answer that says which of the origin's answers it is: `answer 1`, `answer 2` … */
export function counted(
  fields: Readonly<Record<string, string>>,
): Script {
  return (_, nth) => ({
    fields: { "Content-Type": "text/plain", ...fields },
    body: `answer ${nth}`,
  });
}
