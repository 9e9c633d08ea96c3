import { counted, formatMs } from "../../../../lib/core/units.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";

/** What no clock of ours sees: the way of an event to us, the end of a program. */
const SLACK_MS = 500;
/** The times of two TTLs are compared where the longer is so many times the shorter. */
const CLEARLY_LONGER = 2;

/** How clients fared that were sent to the dead edge by answers with one TTL. */
export interface TtlOutcome {
  readonly ttlSeconds: number;
  readonly clients: number;
  /** When each went elsewhere, since the edge died, in order; who never did is not in it. */
  readonly movedMs: readonly number[];
  /** Since the edge died. */
  readonly visits: number;
  readonly failed: number;
  /** That the authority got, in all. */
  readonly questions: number;
}

/** The times of the part that are the same for all TTLs. */
export interface FailingEdge {
  readonly act: DnsAct;
  readonly stage: Stage;
  /** From the death of the edge until it was out. */
  readonly outMs: number;
  /** From the last check it had passed until it was out. */
  readonly silentMs: number;
  /** The whole part, in which questions were counted. */
  readonly lastedMs: number;
  /** By how much this machine was late. */
  readonly lateMs: number;
  /** From a visit to the next. */
  readonly everyMs: number;
}

/** Checks the part's promises, and draws what a TTL gives and what it costs. */
export function reportFailingEdge(
  outcomes: readonly TtlOutcome[],
  part: FailingEdge,
): void {
  const { act, stage, silentMs, outMs, lateMs } = part;
  const intervals = 2 * act.healthIntervalMs;
  stage.check(
    "the checks take the dead edge out within two intervals",
    silentMs <= intervals + SLACK_MS + lateMs,
    `${formatMs(silentMs)} after the last check it passed, ${
      formatMs(outMs)
    } after its end; bound ${formatMs(intervals)}`,
  );
  for (const outcome of outcomes) checkMoved(outcome, part);
  checkTradeOff(outcomes, part);
  stage.sections.push(
    movingChart(outcomes, part),
    questionsChart(outcomes, part),
    tableOf(outcomes, part),
  );
}

function boundMs({ ttlSeconds }: TtlOutcome, { act }: FailingEdge): number {
  return 1000 * ttlSeconds + 2 * act.healthIntervalMs;
}

function lastMs({ movedMs }: TtlOutcome): number {
  return movedMs.at(-1) ?? Infinity;
}

function checkMoved(outcome: TtlOutcome, part: FailingEdge): void {
  const { ttlSeconds, clients, movedMs } = outcome;
  const { stage, everyMs, lateMs, outMs } = part;
  const bound = boundMs(outcome, part);
  stage.check(
    `TTL ${ttlSeconds} s: the last client has gone elsewhere within the TTL and two intervals`,
    movedMs.length === clients &&
      lastMs(outcome) <= bound + everyMs + SLACK_MS + lateMs,
    movedMs.length < clients
      ? `${movedMs.length} of ${counted(clients, "client")} have`
      : `after ${seconds(lastMs(outcome))} s, ${
        seconds(Math.max(0, lastMs(outcome) - outMs))
      } s of them with an old answer; bound ${seconds(bound)} s`,
  );
}

function checkTradeOff(
  outcomes: readonly TtlOutcome[],
  { stage, lastedMs }: FailingEdge,
): void {
  const short = outcomes[0]!;
  const long = outcomes.at(-1)!;
  if (long.ttlSeconds < CLEARLY_LONGER * short.ttlSeconds) return;
  stage.check(
    `TTL ${short.ttlSeconds} s instead of ${long.ttlSeconds} s: everybody has moved sooner, for more questions`,
    lastMs(short) < lastMs(long) && short.questions > long.questions,
    `${seconds(lastMs(short))} s instead of ${
      seconds(lastMs(long))
    } s; ${short.questions} questions instead of ${long.questions} in ${
      seconds(lastedMs)
    } s; ${percent(short)} of visits failed instead of ${percent(long)}`,
  );
}

function movingChart(
  outcomes: readonly TtlOutcome[],
  { outMs }: FailingEdge,
): Stage["sections"][number] {
  const end = Math.max(
    outMs,
    ...outcomes.flatMap(({ movedMs }) => movedMs),
  ) / 1000;
  return {
    kind: "chart",
    heading: "DNS: clients that still go to the dead edge",
    file: "dns-failover",
    chart: {
      kind: "line",
      xLabel: "seconds since it died",
      yLabel: "clients (%)",
      shaded: {
        name: "not yet noticed by the checks",
        spans: [[0, outMs / 1000]],
      },
      series: outcomes.map(({ ttlSeconds, clients, movedMs }) => ({
        name: `TTL ${ttlSeconds} s`,
        shape: "step",
        points: [
          [0, 100] as const,
          ...movedMs.map((ms, at) =>
            [ms / 1000, 100 * (clients - at - 1) / clients] as const
          ),
          [end, 100 * (clients - movedMs.length) / clients] as const,
        ],
      })),
    },
    note:
      "Until the checks have noticed, new answers lead to it, too; then cached ones do until they have expired.",
  };
}

/** What R caches ask when each asks once in a TTL. */
function expectedQuestions({ ttlSeconds }: TtlOutcome, part: FailingEdge) {
  const { resolvers, clients } = part.act;
  return Math.min(resolvers, clients) * part.lastedMs / 1000 / ttlSeconds;
}

function questionsChart(
  outcomes: readonly TtlOutcome[],
  part: FailingEdge,
): Stage["sections"][number] {
  return {
    kind: "chart",
    heading: "DNS: what the CDN's authority was asked meanwhile",
    file: "dns-questions",
    chart: {
      kind: "bar",
      xLabel: `questions in ${seconds(part.lastedMs)} s`,
      bars: outcomes.map((outcome) => ({
        name: `TTL ${outcome.ttlSeconds} s`,
        value: outcome.questions,
        mark: {
          name: "one for each TTL and cache",
          value: Number(expectedQuestions(outcome, part).toFixed(1)),
        },
      })),
    },
    note: `${counted(part.act.clients, "client")} for each TTL, ${
      counted(
        Math.min(part.act.resolvers, part.act.clients),
        "local DNS server",
      )
    }; what is in a cache the authority never hears of.`,
  };
}

function tableOf(
  outcomes: readonly TtlOutcome[],
  part: FailingEdge,
): Stage["sections"][number] {
  return {
    kind: "table",
    heading: "DNS: what a TTL gives, and what it costs",
    columns: [
      ...["TTL", "edge out after", "last client moved after", "bound"],
      ...["visits that failed", "questions", "a minute"],
    ],
    rows: outcomes.map((outcome) => [
      ...[`${outcome.ttlSeconds} s`, `${seconds(part.outMs)} s`],
      outcome.movedMs.length < outcome.clients
        ? "never"
        : `${seconds(lastMs(outcome))} s`,
      `${seconds(boundMs(outcome, part))} s`,
      `${outcome.failed} of ${outcome.visits}`,
      outcome.questions,
      Math.round(60_000 * outcome.questions / part.lastedMs),
    ]),
    note: `Bound: the TTL and two intervals of ${
      formatMs(part.act.healthIntervalMs)
    }. A client connects every ${formatMs(part.everyMs)}.`,
  };
}

function percent({ failed, visits }: TtlOutcome): string {
  return `${(100 * failed / Math.max(1, visits)).toFixed(0)} %`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
