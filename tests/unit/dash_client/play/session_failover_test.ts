import { assert, assertEquals } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import { Locations } from "../../../../lib/dash/locations.ts";
import { openMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import { planTracks } from "../../../../lib/dash/title.ts";
import { textOf } from "../../../../lib/events/mod.ts";
import type { Net } from "../../../../lib/io/net.ts";
import { Fetcher } from "../../../../roles/dash_client/network/fetcher.ts";
import { Names } from "../../../../roles/dash_client/network/names.ts";
import { SegmentSource } from "../../../../roles/dash_client/source/segment_source.ts";
import { Session } from "../../../../roles/dash_client/play/session.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";
import {
  answerOf,
  manifestOf,
  SEGMENTS,
} from "../../../support/small_title.ts";

/** How a CDN node is from some moment on: refuses connections, or takes them and says nothing. */
type Death = "refuses" | "is silent";

/** Who else there is: another BaseURL, a redirector that knows another node, or nobody until the node is back. */
type Others = "another" | "redirector" | "nobody";

/** Plays the title of a node that dies after 10 s, and is back after 30 s; returns what was told, with times in seconds, and the log. */
async function playWith(
  death: Death,
  others: Others = "another",
  clock = new ManualClock(),
  absent = /^$/,
) {
  const events: string[] = [];
  let last = "";
  const fetch: Net["fetch"] = async (url, options) => {
    const { hostname, pathname } = new URL(url);
    const startedAtMs = clock.nowMs();
    await clock.sleepUntil(startedAtMs + 50);
    if (hostname === "first") {
      const location = `http://b${pathname}`;
      return new Response(null, { status: 302, headers: { location } });
    }
    const isDead = startedAtMs >= 10_000 && startedAtMs < 30_000;
    if (hostname === "a" && isDead) {
      if (death === "refuses") throw new RunError("fetch-failed", "refused");
      await clock.sleepUntil(startedAtMs + options!.timeoutMs!);
      throw new RunError("fetch-timeout", "no answer");
    }
    if (absent.test(pathname)) return new Response(null, { status: 404 });
    return answerOf(pathname);
  };
  const ctx = roleContext({
    ...{ clock, net: { fetch }, rng: () => 0.5 },
    emit: (event) => {
      events.push(`${Math.round(clock.nowMs() / 1000)} ${event.type}`);
      last = textOf(event);
    },
  });
  const bases = (others === "another" ? ["a", "b"] : ["a"])
    .map((host) => `<BaseURL>http://${host}/</BaseURL>`);
  const mpd = openMpd(manifestOf([800_000], bases.join("")), "http://a/f.mpd")
    .at(0);
  const tracks = planTracks(mpd, { tracks: "video", limitMs: Infinity });
  const player = new Player(tracks, {
    ...{ rule: ABR_RULES.fixed, fixedIndex: 0, speed: 1 },
    // Two segments are held: longer than a silent node is waited for.
    ...{ startMs: 0, resumeMs: 0, capMs: 8000, giveUpMs: 60_000 },
  });
  const locations = new Locations(() => 0.5);
  locations.learn(mpd);
  if (others === "redirector") {
    locations.redirected("http://first/f.mpd", "http://a/f.mpd");
  }
  const fetcher = new Fetcher(ctx, new Names(undefined, ctx), {
    timeoutMs: 3000,
  });
  const segments = new SegmentSource(fetcher, locations, ctx);
  const session = new Session(player, { segments, cmcd: undefined }, 1, ctx);
  const playing = session.run(undefined);
  await clock.advanceTo(120_000);
  const failure = await playing;
  const { playedMs } = player.playout;
  return { events, last, log: session.log, failure, playedMs };
}

const CASES = [
  ["refuses", "another"],
  ["is silent", "another"],
  ["refuses", "redirector"],
  ["is silent", "redirector"],
] as const;

for (const [death, others] of CASES) {
  Deno.test(`Session plays on without a stall when a CDN node ${death} in mid-play and there is ${others}`, async () => {
    const { events, failure } = await playWith(death, others);
    assertEquals(failure, undefined);
    const count = (type: string) =>
      events.filter((each) => each.endsWith(type)).length;
    assertEquals(count("segment.downloaded"), SEGMENTS);
    assert(count("location.failed") > 0, events.join("\n"));
    assertEquals(count("playout.stalled"), 0, events.join("\n"));
    assertEquals(events.at(-1), `${4 * SEGMENTS} playout.ended`);
  });
}

Deno.test("Session stalls while the only CDN node is away, and goes on when it is back", async () => {
  const { events, last } = await playWith("refuses", "nobody");
  const count = (type: string) =>
    events.filter((each) => each.endsWith(type)).length;
  assertEquals(count("segment.downloaded"), SEGMENTS);
  assertEquals(count("playout.stalled"), 1, events.join("\n"));
  assert(events.at(-1)!.endsWith("playout.ended"), events.join("\n"));
  assertEquals(last, `played ${4 * SEGMENTS}.0 s, to the end`);
});

Deno.test("Session leaves a segment out that no server knows, at once, and goes on behind it", async () => {
  const { events } = await playWith(
    ...["is silent", "another", new ManualClock(), /-2\.m4s$/] as const,
  );
  const count = (type: string) =>
    events.filter((each) => each.endsWith(type)).length;
  assertEquals(count("segment.downloaded"), SEGMENTS - 1);
  assertEquals(count("playout.stalled"), 0, events.join("\n"));
  assertEquals(events.at(-1), `${4 * (SEGMENTS - 1)} playout.ended`);
});

Deno.test("Session plays what it has of a title that ends sooner than its manifest, and then says so", async () => {
  const { events, last, failure, playedMs } = await playWith(
    ...[
      "is silent",
      "another",
      new ManualClock(),
      /-([4-9]|1\d)\.m4s$/,
    ] as const,
  );
  assertEquals((failure as RunError).code, "segment-unavailable");
  assertEquals(playedMs, 12_000);
  assert(events.at(-1)!.endsWith("playout.ended"), events.join("\n"));
  assertEquals(last, "played 12.0 s, all that was to be had");
});

Deno.test("Session notes when segments came, not when the player had decided what to do with them", async () => {
  /** Each look at it takes time, as deciding does. */
  class CreepingClock extends ManualClock {
    #looks = 0;

    override nowMs(): number {
      return super.nowMs() + this.#looks++ / 1000;
    }
  }
  const { log } = await playWith("refuses", "another", new CreepingClock());
  assertEquals(log.downloads[0]?.atMs, log.startupMs);
});
