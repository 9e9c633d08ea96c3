import { counted, formatMs } from "../../../../lib/core/units.ts";
import type { EventRecord, RecordOf } from "../../../../lib/events/mod.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Player, Stage } from "../../stage/stage.ts";
import {
  answered,
  type DnsNetwork,
  type DnsWorld,
  lookedUp,
  sum,
  untilTold,
  WALK_TTL_SECONDS,
  zoneOf,
} from "./world.ts";

/** So long after the end of the TTL the third client asks. */
const AFTER_TTL_MS = 200;

/** One client's question to its local DNS server. */
interface Question {
  readonly who: string;
  readonly source: RecordOf<"recursion.finished">["source"];
  /** What each authority got for it, in their order. */
  readonly messages: readonly number[];
  readonly elapsedMs: number;
}

/** One numbered step. */
interface Step {
  /** Its number on the slide, or "–" where the slide leaves it out. */
  readonly onSlide: string;
  readonly atWallMs: number;
  readonly text: string;
}

/** A first client's question walks from the root to an edge, a second one's ends in the cache, a third comes after the TTL. */
export async function playWalk(
  act: DnsAct,
  world: DnsWorld,
  stage: Stage,
): Promise<readonly Question[]> {
  const [campus] = world.networks;
  const url = `http://${act.domain}:${world.edgePort}/manifest.mpd`;
  stage.part(
    `a name becomes an edge: a client of the ${campus.name} has ${url}`,
  );
  const { clock, signal } = stage.ctx;
  const steps = new Steps(act, stage);
  using _told = steps.follow(campus.resolver.player);
  const first = await ask("first", { world, campus, stage }, (host) => {
    const bob = stage.start("first-client", [
      ...["dash-client", "--download-only", url, "--quality", "lowest"],
      ...["--resolver", campus.resolver.at, "--host", host, "--duration", "5s"],
      "--json",
    ]);
    void steps.follow(bob);
    return bob;
  });
  const expiresAtMs = clock.nowMs() + 1000 * WALK_TTL_SECONDS;
  const later = async (who: string) =>
    await ask(
      who,
      { world, campus, stage },
      (host) =>
        stage.start(`${who}-client`, [
          ...["dns-redirector", "--query", act.domain, "--json"],
          ...["--at", campus.resolver.at, "--host", host],
        ]),
    );
  const second = await later("second");
  await stage.result(first.program);
  stage.say(
    "third-client",
    `waits until the TTL of ${WALK_TTL_SECONDS} s is over`,
  );
  await clock.sleepUntil(expiresAtMs + AFTER_TTL_MS, signal);
  const third = await later("third");
  await lookedUp(second.program, stage);
  await lookedUp(third.program, stage);
  const questions = [first, second, third].map(({ question }) => question);
  check(questions, {
    act,
    world,
    steps,
    server: serverOf(first.program),
    stage,
  });
  stage.sections.push(...sectionsOf(questions, { world, steps }));
  return questions;
}

/** Starts a program that asks, waits until its question is answered, and counts what that took. */
async function ask(
  who: string,
  { world, campus, stage }: {
    readonly world: DnsWorld;
    readonly campus: DnsNetwork;
    readonly stage: Stage;
  },
  start: (host: string) => Player,
): Promise<{ readonly program: Player; readonly question: Question }> {
  const host = `${campus.prefix}${ORDER.indexOf(who) + 1}`;
  const before = answered(world);
  const program = start(host);
  const { player: resolver } = campus.resolver;
  const { finished, messages } = await untilTold(host, {
    ...{ resolver, world, before, stage },
  });
  const { source, elapsedMs } = finished;
  return { program, question: { who, source, messages, elapsedMs } };
}

const ORDER = ["first", "second", "third"];

/** The `host:port` that the first client had its segment from. */
function serverOf(bob: Player): string {
  return bob.all("segment.downloaded")[0]?.server ?? "nowhere";
}

/** The steps of the slide, told as they happen. */
class Steps {
  readonly list: Step[] = [];
  readonly #zone: string;
  readonly #stage: Stage;
  #isOver = false;

  constructor(act: DnsAct, stage: Stage) {
    this.#zone = zoneOf(act.cdnDomain);
    this.#stage = stage;
    this.#add({ onSlide: "1", text: `the site's page says where the film is` });
  }

  /** Tells of what a program does from now on, until the segment is there. */
  follow({ role }: Player): Disposable {
    const leave = role.subscribe((event) => {
      if (this.#isOver || "resolution" in event && event.resolution > 1) return;
      const step = stepOf(event, this.#zone);
      if (step === undefined) return;
      this.#add(step, Date.parse(event.time));
      if (step.onSlide === "6") this.#isOver = true;
    });
    return { [Symbol.dispose]: leave };
  }

  #add(
    step: Pick<Step, "onSlide" | "text">,
    atWallMs = this.#stage.ctx.clock.wallMs(),
  ): void {
    this.list.push({ ...step, atWallMs });
    this.#stage.say(`(${step.onSlide})`, step.text);
  }
}

/** What an event is on the slide "CDN content access". */
function stepOf(
  event: EventRecord,
  cdnZone: string,
): Pick<Step, "onSlide" | "text"> | undefined {
  switch (event.type) {
    case "recursion.started":
      return {
        onSlide: "2",
        text: `${event.remote} asks its local DNS server: ${event.question}?`,
      };
    case "recursion.asked":
      return {
        onSlide: event.zone === cdnZone ? "4" : event.zone === "." ? "–" : "2",
        text:
          `it asks ${event.serverName} (${event.server}): ${event.question}?`,
      };
    case "recursion.replied":
      return {
        onSlide: event.result === "alias"
          ? "3"
          : event.result === "answer"
          ? "5"
          : "–",
        text: `${event.serverName} says: ${event.detail}`,
      };
    case "recursion.finished":
      return {
        onSlide: "5",
        text: `the client is told ${
          event.answers.join(", ")
        }, good for ${event.ttlSeconds} s`,
      };
    case "segment.downloaded":
      return {
        onSlide: "6",
        text:
          `it asks the edge ${event.server} for the film, and has the first segment`,
      };
    default:
      return undefined;
  }
}

function check(
  [first, second, third]: readonly Question[],
  { act, world, steps, server, stage }: {
    readonly act: DnsAct;
    readonly world: DnsWorld;
    readonly steps: Steps;
    readonly server: string;
    readonly stage: Stage;
  },
): void {
  if (first === undefined || second === undefined || third === undefined) {
    return;
  }
  const told = ({ messages }: Question) =>
    world.authorities.map(({ label }, at) => `${label} ${messages[at]}`)
      .join(", ");
  const numbers = steps.list.map(({ onSlide }) => onSlide)
    .filter((number) => number !== "–").join("");
  stage.check(
    "the first question goes the slide's way, to the edge in the client's network",
    /^12+3+4+5+6$/.test(numbers) &&
      first.messages.every((count) => count > 0) &&
      server === `${world.networks[0].edgeHost}:${world.edgePort}`,
    `${told(first)}: ${counted(sum(first.messages), "message")}, ${
      formatMs(first.elapsedMs)
    }; then the film from ${server}`,
  );
  stage.check(
    "the second client's is answered by the local DNS server alone",
    second.source === "cache" && sum(second.messages) === 0,
    `${told(second)}: ${formatMs(second.elapsedMs)}`,
  );
  stage.check(
    `when the TTL is over only ${zoneOf(act.cdnDomain)} is asked again`,
    third.messages[0] === 0 && third.messages[1] === 0 &&
      third.messages[2]! > 0,
    `${told(third)}: ${formatMs(third.elapsedMs)}`,
  );
}

function sectionsOf(
  questions: readonly Question[],
  { world, steps }: { readonly world: DnsWorld; readonly steps: Steps },
): Stage["sections"] {
  const [, asked] = steps.list;
  return [
    {
      kind: "table",
      heading: "DNS: the steps of the first question",
      columns: ["on the slide", "after", "what happened"],
      rows: steps.list.map(({ onSlide, atWallMs, text }) => [
        onSlide,
        asked === undefined || atWallMs < asked.atWallMs
          ? "before"
          : `${atWallMs - asked.atWallMs} ms`,
        text,
      ]),
      note:
        "Counted from the client's question on; what the slide leaves out has no number.",
    },
    {
      kind: "chart",
      heading: "DNS: messages that each authority got for a question",
      file: "dns-messages",
      chart: {
        kind: "bar",
        xLabel: "messages",
        bars: questions.flatMap(({ who, messages }) =>
          world.authorities.map(({ label }, at) => ({
            name: `${who}: ${label}`,
            value: messages[at]!,
          }))
        ),
      },
      note:
        questions.map(({ who, elapsedMs, source }) =>
          `${who}: ${formatMs(elapsedMs)}, from ${
            source === "cache" ? "the local DNS server's cache" : source
          }`
        ).join("; ") + ".",
    },
  ];
}
