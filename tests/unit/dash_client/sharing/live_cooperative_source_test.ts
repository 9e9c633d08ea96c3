import { assert, assertEquals } from "@std/assert";
import { openMpd } from "../../../../lib/dash/mpd/mpd.ts";
import type { RequestState } from "../../../../lib/dash/player/request_state.ts";
import { planTracks } from "../../../../lib/dash/title.ts";
import { reprDigest } from "../../../../lib/io/hash.ts";
import {
  LiveRoom,
  MAX_SHARED_BYTES,
} from "../../../../roles/dash_client/sharing/live_cooperation.ts";
import { LiveCooperativeSource } from "../../../../roles/dash_client/sharing/live_cooperative_source.ts";
import type { Segments } from "../../../../roles/dash_client/source/segment_source.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";

const FILM = new Uint8Array(1000).fill(7);
const MPD = openMpd(
  `<MPD type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" timeShiftBufferDepth="PT1M"><Period start="PT0S">
    <AdaptationSet contentType="video"><SegmentTemplate media="v_$Number$" duration="2"/>
    <Representation id="a" bandwidth="1"/></AdaptationSet></Period></MPD>`,
  "http://cdn/live.mpd",
).at(100_000);
const POSITION = planTracks(MPD)[0]!.positions.at(-1)!;
const { segment } = POSITION.choices[0]!;

/** How the world around a source behaves. */
interface World {
  /** When a peer offers the segment; what it gives comes 100 ms after it was asked. */
  readonly offeredAtMs?: number;
  /** What it gives. */
  readonly given?: Uint8Array;
  /** What the CDN says the segment is; null when it says nothing. */
  readonly digest?: string | null;
  /** What the CDN gives. */
  readonly film?: Uint8Array;
}

/** Gets the newest segment in a world; returns what came of it and what was done. */
async function getIn(
  { offeredAtMs = Infinity, given = FILM, digest, film = FILM }: World,
) {
  const clock = new ManualClock();
  const room = new LiveRoom("test", {
    ...{ host: "", uploadLimit: undefined, peer: [] },
  });
  const { hashes } = room.cooperation.swarmed;
  const log: string[] = [];
  const supplied: number[] = [];
  let askedAtMs = Infinity;
  const peer = {
    piece: (index: number) =>
      clock.nowMs() >= askedAtMs + 100 && hashes.matches(index, given)
        ? given
        : undefined,
    offered: () => clock.nowMs() >= offeredAtMs,
    want: (_pieces: readonly number[], wanted: boolean) => {
      if (!wanted) return;
      log.push(`${clock.nowMs()} ask peers`);
      askedAtMs = clock.nowMs();
    },
    supply: (index: number) => supplied.push(index) > 0,
    changed: (atMs: number) =>
      clock.sleepUntil(
        clock.nowMs() < askedAtMs + 100
          ? Math.min(atMs, askedAtMs + 100)
          : atMs,
      ),
  };
  const cdn: Segments = {
    async get({ urls }, { method = "GET", headers, head, sink }) {
      log.push(`${clock.nowMs()} ${method}`);
      assertEquals(headers?.["want-repr-digest"], "sha-256=1");
      await clock.sleepUntil(clock.nowMs() + 20);
      head?.(
        new Headers({
          "content-length": String(film.length),
          ...digest === null
            ? {}
            : { "repr-digest": `sha=:x=:, ${digest ?? reprDigest(film)}` },
        }),
      );
      if (method === "GET") await sink?.(film);
      return {
        ...{ ok: true, url: urls[0]!, bytes: film.length },
        ...{ ttfbMs: 5, downloadMs: 20, server: "cdn:80", cacheStatus: "" },
        ageSeconds: 0,
      };
    },
  };
  const events: string[] = [];
  const source = new LiveCooperativeSource(cdn, {
    manifest: () => MPD,
    rooms: { in: () => ({ room, peer }), enter: () => Promise.resolve() },
    ctx: roleContext({
      ...{ clock, rng: () => 0.5 },
      emit: (event) => void events.push(event.type),
    }),
  });
  const state = { durationMs: 2000, bufferMs: 3000, startup: false };
  const getting = source.get(segment, {
    ...{ segmentNumber: 1, state: state as RequestState },
  });
  await clock.advanceTo(60_000);
  const got = await getting;
  assert(got.ok);
  const { server, peerBytes, downloadMs } = got;
  return { server, peerBytes, downloadMs, log, supplied, events };
}

Deno.test("LiveCooperativeSource takes of peers what the CDN vouches for, and asks it for no more than that", async () => {
  const { log, supplied, ...rest } = await getIn({ offeredAtMs: 200 });
  assertEquals(log, ["200 HEAD", "220 ask peers"]);
  assertEquals(rest, {
    ...{ server: "peers", peerBytes: 1000, downloadMs: 120, events: [] },
  });
  assertEquals(supplied, []);
});

Deno.test("LiveCooperativeSource has a segment from the CDN when no peer has it within its lot, and shares it", async () => {
  // A third of the buffer is 1 s, the lot half of it.
  const { log, supplied, server } = await getIn({});
  assertEquals([log, server], [["500 GET"], "cdn:80"]);
  assertEquals(supplied.length, 1);
});

Deno.test("LiveCooperativeSource does not believe a peer that gives something else", async () => {
  const given = FILM.map((byte) => byte + 1);
  const { log, server, peerBytes } = await getIn({ offeredAtMs: 0, given });
  assertEquals(log, ["0 HEAD", "20 ask peers", "1000 GET"]);
  assertEquals([server, peerBytes], ["cdn:80", 0]);
});

Deno.test("LiveCooperativeSource shares nothing of a CDN that tells no digest, or another one than its bytes have, and says so", async () => {
  const silent = await getIn({ offeredAtMs: 0, digest: null });
  assertEquals(silent.log, ["0 HEAD", "20 GET"]);
  assertEquals([silent.supplied, silent.events], [[], ["manifest.warned"]]);
  const wrong = await getIn({ digest: reprDigest(new Uint8Array(1)) });
  assertEquals([wrong.server, wrong.supplied], ["cdn:80", []]);
  const large = await getIn({ film: new Uint8Array(MAX_SHARED_BYTES + 1) });
  assertEquals([large.server, large.supplied], ["cdn:80", []]);
});

Deno.test("LiveRoom keeps to what it was told of a piece first", () => {
  const room = new LiveRoom("test", {
    ...{ host: "", uploadLimit: undefined, peer: [] },
  });
  const lengthBytes = 1000;
  assertEquals(room.learn(5, { lengthBytes, digest: reprDigest(FILM) }), true);
  assertEquals(room.learn(5, { lengthBytes, digest: "sha-256=:x=:" }), false);
  assertEquals(room.knows(5), true);
  const { hashes } = room.cooperation.swarmed;
  assertEquals(hashes.matches(5, FILM), true);
  assertEquals(hashes.matches(6, FILM), false);
});
