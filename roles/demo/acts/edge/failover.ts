import { counted, formatMs } from "../../../../lib/core/units.ts";
import { messageOf } from "../../../../lib/core/errors.ts";
import type { Stage } from "../../stage/stage.ts";
import { LIBRARY, segmentPath } from "./library.ts";

/** So soon the edge has to ask whether a segment is still the same. */
const MAX_AGE = "1s";
/** Segments that are asked for again and again; each other one is asked for once. */
const OLD_SEGMENTS = 5;
/** What there is to fetch from while the viewer asks. */
const PHASES = ["both origins", "one origin", "no origin"] as const;
const PHASE_MS = 3000;
/** From an answer to the next request. */
const PAUSE_MS = 60;
/** Longest wait for an answer. */
const ANSWER_MS = 10_000;

type Phase = typeof PHASES[number];

/** One answer of the edge. */
interface Answer {
  readonly phase: Phase;
  /** Whether the edge had given this segment before. */
  readonly isOld: boolean;
  readonly status: number;
  readonly isStale: boolean;
  readonly tookMs: number;
}

/** How answers of one kind went in one phase. */
interface Outcome {
  readonly phase: Phase;
  readonly wanted: "had before" | "new";
  readonly answers: number;
  readonly good: number;
  readonly stale: number;
  readonly slowestMs: number;
}

/** A viewer asks for old segments and new ones while one origin goes, and then the other. */
export async function playFailover(
  stage: Stage,
): Promise<readonly Outcome[]> {
  stage.part("one of two origins goes, and then the other");
  const origins = [1, 2].map((at) =>
    stage.start(`origin-${at}`, [
      ...["origin", "--host", stage.machine(), "--port", "0", ...LIBRARY],
      ...["--max-age", MAX_AGE],
    ])
  );
  const urls = await Promise.all(origins.map(async (origin) => {
    const { host, port } = await origin.until("role.listening");
    return `http://${host}:${port}/`;
  }));
  const edge = stage.start("edge-of-two", [
    ...["edge", "--host", stage.machine(), "--port", "0"],
    ...urls.flatMap((url) => ["--origin", url]),
  ]);
  const { host, port } = await edge.until("role.listening");
  const viewer = new AskingViewer(`http://${host}:${port}`, stage);
  for (const phase of PHASES) {
    const at = PHASES.indexOf(phase);
    if (at > 0) {
      await stage.end(origins[at - 1]!);
      stage.say(`origin-${at}`, "switched off");
    }
    await viewer.ask(phase);
  }
  const outcomes = PHASES.flatMap((phase) => [
    outcomeOf(phase, "had before", viewer.answers),
    outcomeOf(phase, "new", viewer.answers),
  ]);
  report(outcomes, stage);
  await stage.end(edge);
  return outcomes;
}

/** Asks for one segment after the other. */
class AskingViewer {
  readonly answers: Answer[] = [];
  readonly #base: string;
  readonly #stage: Stage;
  #asked = 0;
  #newest = OLD_SEGMENTS;

  constructor(base: string, stage: Stage) {
    this.#base = base;
    this.#stage = stage;
  }

  /** Goes on for a phase. */
  async ask(phase: Phase): Promise<void> {
    const { clock, signal } = this.#stage.ctx;
    const endsAtMs = clock.nowMs() + PHASE_MS;
    // The first round of all fetches what is old from then on.
    for (
      let count = 0;
      count <= 2 * OLD_SEGMENTS || clock.nowMs() < endsAtMs;
      count++
    ) {
      const isOld = this.#asked % 2 === 0;
      const number = isOld
        ? 1 + this.#asked / 2 % OLD_SEGMENTS
        : ++this.#newest;
      this.#asked += 1;
      const answer = await this.#get(number);
      this.answers.push({ phase, isOld, ...answer });
      this.#stage.progress(
        "viewer",
        `${phase}: segment ${number}, ${answer.status}`,
      );
      await clock.sleepUntil(clock.nowMs() + PAUSE_MS, signal);
    }
  }

  async #get(number: number): Promise<Omit<Answer, "phase" | "isOld">> {
    const { clock, net, signal } = this.#stage.ctx;
    const startedAtMs = clock.nowMs();
    const answer = (status: number, isStale = false) => ({
      ...{ status, isStale, tookMs: clock.nowMs() - startedAtMs },
    });
    try {
      const response = await net.fetch(
        `${this.#base}${segmentPath(number)}`,
        { signal, timeoutMs: ANSWER_MS },
      );
      await response.arrayBuffer();
      const told = response.headers.get("cache-status") ?? "";
      return answer(response.status, /;\s*fwd=stale\b.*;\s*detail=/.test(told));
    } catch (error) {
      signal.throwIfAborted();
      this.#stage.say("viewer", messageOf(error));
      return answer(0);
    }
  }
}

function outcomeOf(
  phase: Phase,
  wanted: Outcome["wanted"],
  answers: readonly Answer[],
): Outcome {
  const own = answers.filter((answer) =>
    answer.phase === phase && answer.isOld === (wanted === "had before")
  );
  return {
    ...{ phase, wanted, answers: own.length },
    good: own.filter(({ status }) => status === 200).length,
    stale: own.filter(({ isStale }) => isStale).length,
    slowestMs: Math.max(...own.map(({ tookMs }) => tookMs)),
  };
}

function report(outcomes: readonly Outcome[], stage: Stage): void {
  const of = (phase: Phase) =>
    outcomes.filter((outcome) => outcome.phase === phase) as [Outcome, Outcome];
  const [oneOld, oneNew] = of("one origin");
  const answers = oneOld.answers + oneNew.answers;
  const failed = answers - oneOld.good - oneNew.good;
  stage.check(
    "when one of two origins goes no viewer notices",
    failed === 0,
    `${failed} of ${counted(answers, "answer")} failed, the slowest took ${
      formatMs(Math.max(oneOld.slowestMs, oneNew.slowestMs))
    }`,
  );
  const [old, fresh] = of("no origin");
  stage.check(
    "with no origin left, what the edge has is still there",
    old.good === old.answers,
    `${old.good} of ${
      counted(old.answers, "answer")
    }, ${old.stale} of them stale and said to be (RFC 9111 §4.2.4)`,
  );
  stage.check(
    "and what it has not is refused at once, not waited for",
    fresh.good === 0 && fresh.slowestMs < ANSWER_MS / 2,
    `${fresh.answers} refused, the slowest after ${formatMs(fresh.slowestMs)}`,
  );
  stage.sections.push({
    kind: "table",
    heading: "An edge while its origins go",
    columns: [
      "while there were",
      "segments",
      "answers",
      "good",
      "stale",
      "slowest",
    ],
    rows: outcomes.map((outcome) => [
      ...[outcome.phase, outcome.wanted, outcome.answers, outcome.good],
      ...[outcome.stale, formatMs(outcome.slowestMs)],
    ]),
    note:
      `Segments are fresh for ${MAX_AGE}; then the edge asks an origin whether they are still the same.`,
  });
}
