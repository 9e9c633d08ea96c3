import { assert, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../../../lib/core/errors.ts";
import { makeMetainfo } from "../../../../lib/bittorrent/metainfo/make_metainfo.ts";
import { parseMetainfo } from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import { SourceHasher } from "../../../../lib/bittorrent/metainfo/source_hasher.ts";
import type { ByteRange } from "../../../../lib/dash/mpd/mpd.ts";
import type { RequestState } from "../../../../lib/dash/player/request_state.ts";
import type { Track } from "../../../../lib/dash/title.ts";
import { hashing } from "../../../../lib/io/hash.ts";
import type { PeerPieces } from "../../../../roles/dash_client/sharing/cooperation.ts";
import { CooperativeSource } from "../../../../roles/dash_client/sharing/cooperative_source.ts";
import type { Segments } from "../../../../roles/dash_client/source/segment_source.ts";
import {
  PlayerPieces,
  SharedPieces,
} from "../../../../roles/dash_client/sharing/shared_pieces.ts";
import { TitleTorrent } from "../../../../roles/dash_client/sharing/title_torrent.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";

const PIECE = 16_384;

/** A torrent of files of so many bytes; with `align` each begins at a piece. */
function torrentOf(
  files: Readonly<Record<string, number>>,
  align = true,
): TitleTorrent {
  const cut = { pieceLength: PIECE, version: "v1", align } as const;
  const hasher = new SourceHasher(cut, hashing);
  const sources = Object.entries(files).map(([name, lengthBytes]) => ({
    path: name.split("/"),
    lengthBytes,
  }));
  for (const source of align ? sources : []) {
    for (let at = 0; at < source.lengthBytes; at += PIECE) {
      const length = Math.min(PIECE, source.lengthBytes - at);
      const last = at + PIECE >= source.lengthBytes;
      hasher.add(new Uint8Array(length), source, last);
    }
  }
  const total = sources.reduce((sum, each) => sum + each.lengthBytes, 0);
  const { pieces, files: content } = hasher.finish(sources);
  const made = makeMetainfo({
    ...cut,
    name: "Film",
    content,
    pieces: align ? pieces : new Uint8Array(20 * Math.ceil(total / PIECE)),
  });
  return new TitleTorrent(parseMetainfo(made, hashing), "film.torrent");
}

const FILES = { "a/1.m4s": 3 * PIECE - 100, "a/2.m4s": 10 };

Deno.test("TitleTorrent finds a segment by the end of its URL's path, and the pieces it lies in", () => {
  const torrent = torrentOf(FILES);
  const find = (url: string, range?: ByteRange) =>
    torrent.find({ urls: [url], range });
  const whole = find("http://cdn/films/x/a/1.m4s?token=1");
  assertEquals(whole, {
    from: 0,
    to: 3 * PIECE - 100,
    pieces: [
      { index: 0, from: 0, to: PIECE },
      { index: 1, from: PIECE, to: 2 * PIECE },
      { index: 2, from: 2 * PIECE, to: 3 * PIECE - 100 },
    ],
  });
  assertEquals(find("http://cdn/a/2.m4s")?.pieces.map((each) => each.index), [
    3,
  ]);
  assertEquals(
    find("http://cdn/a/1.m4s", { first: PIECE, last: PIECE + 9 }),
    {
      from: PIECE,
      to: PIECE + 10,
      pieces: [{ index: 1, from: PIECE, to: 2 * PIECE }],
    },
  );
  assertEquals(find("http://cdn/1.m4s"), undefined);
  assertEquals(
    find("http://cdn/a/1.m4s", { first: 3 * PIECE, last: undefined }),
    undefined,
  );
});

Deno.test("TitleTorrent refuses files that do not begin at a piece, and says what to do", () => {
  assertThrows(
    () => torrentOf(FILES, false),
    InputError,
    "a/2.m4s does not begin at a piece; make it with rolecall peer --create FOLDER --align",
  );
});

Deno.test("TitleTorrent refuses a title of which it has no segment", () => {
  const torrent = torrentOf(FILES);
  const track = (url: string) => {
    const segment = { urls: [url], range: undefined };
    const positions = [{ choices: [{ segment }] }];
    return { media: "video", positions } as unknown as Track;
  };
  torrent.check([track("http://cdn/b/1.m4s"), track("http://cdn/a/1.m4s")]);
  assertThrows(
    () => torrent.check([track("http://cdn/b/1.m4s")]),
    InputError,
    "film.torrent: it has none of the segments",
  );
});

/** How the world around a source behaves. */
interface World {
  /** When peers offer everything. */
  readonly offeredAtMs?: number;
  /** When each piece comes from peers, once they were asked. */
  readonly piecesAfterMs?: readonly number[];
  /** What the CDN has is another film. */
  readonly otherFilm?: boolean;
  readonly state?: Partial<RequestState>;
}

const STATE = {
  durationMs: 4000,
  bufferMs: 12_000,
  startup: false,
} as RequestState;

/** A source in a world; what is done is logged with times. */
function sourceIn(
  { offeredAtMs = Infinity, piecesAfterMs = [], otherFilm }: World,
) {
  const clock = new ManualClock();
  const torrent = torrentOf(FILES);
  const log: string[] = [];
  let askedAtMs = Infinity;
  const supplied = new Set<number>();
  const peer: PeerPieces = {
    piece: (index) =>
      supplied.has(index) ||
        clock.nowMs() >= askedAtMs + (piecesAfterMs[index] ?? Infinity)
        ? new Uint8Array(1)
        : undefined,
    offered: () => clock.nowMs() >= offeredAtMs,
    want: (pieces, wanted) => {
      log.push(`${clock.nowMs()} ${wanted ? "want" : "unwant"} ${pieces}`);
      if (wanted) askedAtMs = clock.nowMs();
    },
    supply: (index) => {
      if (otherFilm) return false;
      supplied.add(index);
      return true;
    },
    changed: async (atMs) => {
      const next = piecesAfterMs.map((ms) => askedAtMs + ms)
        .filter((ms) => ms > clock.nowMs());
      await clock.sleepUntil(Math.min(atMs, ...next));
    },
  };
  const cdn: Segments = {
    async get({ urls, range }, options) {
      log.push(`${clock.nowMs()} GET ${range?.first ?? 0}`);
      options.begin?.();
      const from = range?.first ?? 0;
      const bytes = (range?.last ?? 3 * PIECE - 101) + 1 - from;
      await clock.sleepUntil(clock.nowMs() + 700);
      await options.sink?.(new Uint8Array(bytes));
      return {
        ok: true,
        url: urls[0]!,
        bytes,
        ...{ ttfbMs: 50, downloadMs: 700, server: "cdn:80", cacheStatus: "" },
        ageSeconds: 0,
      };
    },
  };
  const events: string[] = [];
  const ctx = roleContext({
    ...{ clock, rng: () => 0.5 },
    emit: (event) => void events.push(event.type),
  });
  const source = new CooperativeSource(cdn, { torrent, peer, speed: 1, ctx });
  const get = async (
    state: Partial<RequestState> | undefined,
    range?: ByteRange,
  ) => {
    const getting = source.get(
      { urls: ["http://cdn/a/1.m4s"], range },
      { segmentNumber: 1, state: { ...STATE, ...state } },
    );
    await clock.advanceTo(clock.nowMs() + 60_000);
    const got = await getting;
    assert(got.ok);
    return got;
  };
  return { get, log, events, supplied };
}

/** Gets segment 1 in a world; returns what came of it and what was done. */
async function getIn(world: World) {
  const { get, ...seen } = sourceIn(world);
  const { bytes, peerBytes, downloadMs, server } = await get(world.state);
  assertEquals(bytes, 3 * PIECE - 100);
  return { peerBytes, downloadMs, server, ...seen };
}

Deno.test("CooperativeSource has a segment from peers alone", async () => {
  const { log, supplied: _, ...rest } = await getIn({
    offeredAtMs: 0,
    piecesAfterMs: [100, 200, 300],
  });
  assertEquals(rest, {
    peerBytes: 3 * PIECE - 100,
    downloadMs: 300,
    server: "peers",
    events: [],
  });
  assertEquals(log, ["0 want 0,1,2", "300 unwant 0,1,2"]);
});

Deno.test("CooperativeSource waits for its lot while no peer has a segment, and takes it of the one that was faster", async () => {
  // A third of the buffer of 12 s is as long as the segment; the lot is half of it.
  const alone = await getIn({});
  assertEquals(alone.log, ["2000 unwant 0,1,2", "2000 GET 0"]);
  assertEquals([alone.peerBytes, alone.downloadMs], [0, 700]);
  assertEquals([...alone.supplied], [0, 1, 2]);
  const suppressed = await getIn({
    offeredAtMs: 1500,
    piecesAfterMs: [10, 10, 20],
  });
  assertEquals(suppressed.log, ["1500 want 0,1,2", "1520 unwant 0,1,2"]);
  assertEquals(suppressed.downloadMs, 20);
});

Deno.test("CooperativeSource gets of the CDN what peers do not give in time, and no more", async () => {
  const { log, peerBytes, downloadMs } = await getIn({
    offeredAtMs: 0,
    piecesAfterMs: [100],
    state: { bufferMs: 3000 },
  });
  assertEquals(log, [
    "0 want 0,1,2",
    "1000 unwant 0,1,2",
    `1000 GET ${PIECE}`,
  ]);
  assertEquals([peerBytes, downloadMs], [PIECE, 1700]);
});

Deno.test("CooperativeSource fetches pieces whole, so that segments of one file can be shared, and none of them twice", async () => {
  const { get, log, supplied } = sourceIn({});
  const ends = [100, PIECE + 100, 2 * PIECE + 100, 3 * PIECE - 100];
  const told = [];
  for (const [at, first] of ends.slice(0, 3).entries()) {
    const range = { first, last: ends[at + 1]! - 1 };
    const got = await get({ startup: true }, range);
    const { bytes, peerBytes, cdnBytes, server } = got;
    told.push([bytes, peerBytes, cdnBytes, server]);
  }
  assertEquals(log.filter((each) => each.includes("GET")), [
    "0 GET 0",
    `60000 GET ${2 * PIECE}`,
  ]);
  assertEquals(told, [
    [PIECE, 0, 2 * PIECE, "cdn:80"],
    [PIECE, 0, PIECE - 100, "cdn:80"],
    [PIECE - 200, 0, 0, "memory"],
  ]);
  assertEquals([...supplied], [0, 1, 2]);
});

Deno.test("CooperativeSource tells what of a segment peers gave, not what lies beside it in its pieces", async () => {
  const { get } = sourceIn({ offeredAtMs: 0, piecesAfterMs: [10, 20, 30] });
  const got = await get({}, { first: PIECE - 10, last: PIECE + 9 });
  assertEquals([got.bytes, got.peerBytes, got.cdnBytes], [20, 20, 0]);
});

Deno.test("CooperativeSource lets nobody wait at the start, and does not share what is no part of the torrent", async () => {
  const { log, events, supplied } = await getIn({
    state: { startup: true, bufferMs: 0 },
    otherFilm: true,
  });
  assertEquals(log, ["0 unwant 0,1,2", "0 GET 0"]);
  assertEquals(events, Array(3).fill("piece.rejected"));
  assertEquals(supplied.size, 0);
});

Deno.test("SharedPieces has each piece once and forgets the ones unused for the longest", async () => {
  const shared = new SharedPieces(30);
  const came: number[] = [];
  const [a, b] = [1, 2].map(() =>
    new PlayerPieces(shared, (index) => came.push(index))
  );
  await a!.write(1, new Uint8Array(10).fill(1));
  await b!.write(1, new Uint8Array(10).fill(1));
  await a!.write(2, new Uint8Array(10).fill(2));
  await a!.write(3, new Uint8Array(10).fill(3));
  assertEquals(came, [1, 1, 2, 3]);
  const buffer = new Uint8Array(10);
  assert(await b!.read(1, buffer));
  assertEquals(buffer, new Uint8Array(10).fill(1));
  await a!.write(4, new Uint8Array(10).fill(4));
  assertEquals([1, 2, 3, 4].map((index) => shared.get(index) !== undefined), [
    true,
    false,
    true,
    true,
  ]);
  assert(!await a!.read(2, buffer));
});
