import { assert, assertEquals, assertRejects } from "@std/assert";
import { normalize } from "@std/path";
import { RunError } from "../../../../lib/core/errors.ts";
import { lecturePlan } from "../../../../lib/media/title/title_plan.ts";
import { liveNumbers } from "../../../../lib/media/title/title_published.ts";
import { TitleSite } from "../../../../roles/origin/site/title_site.ts";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { openMpd } from "../../../../lib/dash/mpd/mpd.ts";
import type { Files } from "../../../../lib/io/files.ts";
import { openFolderSite } from "../../../../roles/origin/site/folder_site.ts";
import { memoryResource } from "../../../../roles/origin/site/site.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { MemoryFiles } from "../../../support/memory_files.ts";
import { roleContext } from "../../../support/role_context.ts";

Deno.test("memoryResource follows its bytes with zeros up to its size", async () => {
  const resource = memoryResource(Uint8Array.of(1, 2, 3), {
    mediaType: "video/mp4",
    entityTag: { weak: false, opaque: "a" },
    modifiedAtWallMs: undefined,
    sizeBytes: 200_000,
  });
  assertEquals(resource.sizeBytes, 200_000);
  await using content = await resource.open();
  const read = async (offset: number, length: number) => [
    ...await content.read(offset, length),
  ];
  assertEquals(await read(1, 2), [2, 3]);
  assertEquals(await read(1, 4), [2, 3, 0, 0]);
  assertEquals(await read(3, 2), [0, 0]);
  assertEquals(await read(0, 200_000), [1, 2, 3, ...Array(199_997).fill(0)]);
  assertEquals((await read(100_000, 100_000)).length, 100_000);
});

Deno.test("openFolderSite reads into memory that goes round, but not into what a client that left may still be sent", async () => {
  const files = new MemoryFiles();
  for (const name of ["a", "b", "c"]) {
    files.contents.set(`/r/${name}`, utf8(name.repeat(10)));
  }
  const site = await openFolderSite(
    "/r",
    {
      open: (path: string) => files.open(path),
      stat: (path: string) =>
        path === "/r"
          ? Promise.resolve({ kind: "folder", sizeBytes: 0 })
          : files.stat(path),
      realPath: (path: string) => Promise.resolve(path),
    } as unknown as Files,
  );
  const contentOf = async (name: string) => {
    const found = await site.find({ names: [name], folder: false });
    assert(found?.kind === "resource");
    return await found.resource.open();
  };
  const left = await contentOf("a");
  const a = await left.read(2, 3);
  await left[Symbol.asyncDispose]();
  const sent = await contentOf("b");
  const b = await sent.read(0, 3);
  sent.used?.();
  await sent[Symbol.asyncDispose]();
  const c = await (await contentOf("c")).read(0, 3);
  assertEquals(fromUtf8(a), "aaa");
  assertEquals([fromUtf8(c), c.buffer === b.buffer], ["ccc", true]);
});

Deno.test("openFolderSite's page of a folder has all that a link leads to, in order, and nothing else", async () => {
  const files = new MemoryFiles();
  const names = Array.from({ length: 100 }, (_, at) => `f${100 + at}`);
  for (const name of [...names, ".hidden", "back\\slash"]) {
    files.contents.set(`/r/${name}`, utf8("x"));
  }
  const site = await openFolderSite(
    "/r",
    {
      list: (path: string) => files.list(path),
      stat: (path: string) =>
        path === "/r"
          ? Promise.resolve({ kind: "folder", sizeBytes: 0 })
          : files.stat(path),
      realPath: (path: string) =>
        path === "/r/index.html"
          ? Promise.reject(new RunError("not-found", "No index.html"))
          : Promise.resolve(path),
    } as unknown as Files,
  );
  const found = await site.find({ names: [], folder: true });
  assert(found?.kind === "resource");
  const content = await found.resource.open();
  const page = fromUtf8(await content.read(0, found.resource.sizeBytes));
  const links = [...page.matchAll(/<a href="\/([^"]+)"/g)].map((a) => a[1]);
  assertEquals(links, names);
});

Deno.test("TitleSite has live segments from their end on, and for a while after they have left manifest and playlists", async () => {
  const startWallMs = Date.UTC(2026, 10, 26);
  const plan = lecturePlan({
    startWallMs,
    addressing: "number",
    segmentMs: 2000,
  });
  let sinceMs = 0;
  const clock = new ManualClock();
  clock.wallMs = () => startWallMs + sinceMs;
  const site = new TitleSite(plan, roleContext({ clock }));
  const has = async (number: number) => {
    const names = [`video_360_20261126_${number}.m4s`];
    return await site.find({ names, folder: false }) !== null;
  };
  sinceMs = 1_000_000;
  const { first, end } = liveNumbers(plan, sinceMs);
  assertEquals([await has(end - 1), await has(end)], [true, false]);
  // RFC 8216 §6.2.2: for its own length and that of the playlist it was in, here two minutes.
  sinceMs += 122_000;
  assertEquals([await has(first), await has(first - 10)], [true, false]);
});

Deno.test("TitleSite has a segment in chunks from its beginning on, each chunk when it has been made, and in playlists at its end", async () => {
  const clock = new ManualClock();
  const startWallMs = clock.wallMs() - 1_000_500;
  const plan = lecturePlan({
    ...{ startWallMs, addressing: "number", segmentMs: 2000, chunkMs: 500 },
  });
  const site = new TitleSite(plan, roleContext({ clock }));
  const find = async (...names: string[]) => {
    const found = await site.find({ names, folder: false });
    return found?.kind === "resource" ? found.resource : undefined;
  };
  const nameOf = (number: number) => `video_360_${plan.prefix}${number}.m4s`;
  assertEquals(await find(nameOf(502)), undefined);
  const segment = await find(nameOf(501));
  const content = await segment!.open();
  const { signal } = new AbortController();
  const ends: number[] = [];
  const atMs: number[] = [];
  const reading = (async () => {
    while ((ends.at(-1) ?? 0) < segment!.sizeBytes) {
      ends.push(await content.ready!(ends.at(-1) ?? 0, signal));
      atMs.push(clock.nowMs());
    }
  })();
  await clock.advanceTo(10_000);
  await reading;
  assertEquals(atMs, [0, 500, 1000, 1500]);
  assertEquals(ends.length, 4);
  // Now it is there like any other.
  assertEquals((await (await find(nameOf(501)))!.open()).ready, undefined);
  const textOf = async (name: string) => {
    const resource = await find(name);
    const file = await resource!.open();
    return fromUtf8(await file.read(0, resource!.sizeBytes));
  };
  await clock.advanceTo(10_100);
  const playlist = await textOf("video_360.m3u8");
  assert(playlist.includes(nameOf(505)) && !playlist.includes(nameOf(506)));
  const mpd = openMpd(await textOf("manifest.mpd"), "http://a/manifest.mpd");
  const { live, periods } = mpd.at(clock.wallMs());
  assertEquals(live?.latency.targetMs, 1500);
  const [{ aheadMs, segments } = { aheadMs: 0, segments: [] }] =
    periods[0]!.adaptationSets[0]!.representations;
  assertEquals([aheadMs, segments.at(-1)!.number], [1500, 506]);
});

Deno.test("openFolderSite refuses a folder that may not be entered", async () => {
  const denied = (path: string) =>
    new RunError("permission-denied", `Cannot look at ${path}: no`);
  const { message } = await assertRejects(
    () =>
      openFolderSite("/r", {
        stat: (path: string) =>
          normalize(path).replace(/\/$/, "") === "/r"
            ? Promise.resolve({ kind: "folder", sizeBytes: 0 })
            : Promise.reject(denied(path)),
        realPath: (path: string) => Promise.resolve(path),
      } as unknown as Files),
    RunError,
  );
  assertEquals(message, "Cannot look into /r: no");
});
