/** The disk tier behind an edge, with files in memory. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { gate } from "../../../support/counting_origin.ts";
import { MemoryFiles } from "../../../support/memory_files.ts";
import { edgeOf } from "./_edge.ts";

const textOf = (url: string) => `${url.slice(-1)}`.repeat(1000);
const fields = { "cache-control": "max-age=60" };
const origin = (url: string) => new Response(textOf(url), { headers: fields });
const paths = ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"];

/** An edge whose disk holds all, and its memory one or two. */
async function startDisk(
  files: MemoryFiles,
  { cacheBytes = 4000, diskBytes = 1e6 } = {},
) {
  const edge = edgeOf(origin, ["http://a.test"], {
    cacheBytes,
    disk: { files, capacityBytes: diskBytes },
  });
  await edge.disk!.restore(edge.tiers);
  return edge;
}

Deno.test("Edge answers from the disk what the memory does not take, without end or a second fetch", async () => {
  const files = new MemoryFiles();
  const { ask, asked, disk, tiers } = await startDisk(files);
  for (const path of paths) assertEquals((await ask(path)).text, textOf(path));
  await disk!.settled();
  assertEquals(files.contents.size, paths.length);
  // Two that are used so much that nobody else gets in.
  for (let n = 0; n < 20; n++) for (const path of ["/a", "/b"]) await ask(path);
  for (let n = 0; n < 2; n++) {
    for (const path of paths) {
      const all = await Promise.all([ask(path), ask(path), ask(path)]);
      for (const { text } of all) assertEquals(text, textOf(path));
    }
  }
  assert(tiers.stats().objects <= 2);
  assertEquals(asked.length, paths.length);
});

Deno.test("Edge counts once what it forgets of memory and disk, and what one of them had alone", async () => {
  const files = new MemoryFiles();
  const { ask, disk, tiers } = await startDisk(files);
  for (const path of paths) await ask(path);
  await disk!.settled();
  const { opened, open } = gate();
  files.held = opened;
  await ask("/new");
  assertEquals(tiers.forgetWhere(() => true), paths.length + 1);
  open();
  await disk!.settled();
});

Deno.test("Edge keeps on a full disk what the memory is asked for all the time", async () => {
  const files = new MemoryFiles();
  const { ask, asked, disk, tiers } = await startDisk(files, {
    diskBytes: 8000,
  });
  for (let n = 0; n < 80; n++) {
    for (let times = 0; times < 20; times++) await ask("/hot");
    // More than the disk holds, each of them asked for again.
    await ask(`/page${n % 8}`);
    await disk!.settled();
  }
  assertEquals(asked.filter((line) => line.endsWith("/hot")).length, 1);
  const { disk: full } = tiers.stats();
  assert(full!.evictions > 30 && full!.usedBytes <= 8000);
  const again = await startDisk(files);
  await again.ask("/hot");
  assertEquals(again.asked.length, 0);
});

Deno.test("Edge reads from the disk what is too large for its memory, ranges too", async () => {
  const files = new MemoryFiles();
  {
    const { ask, disk } = await startDisk(files);
    await ask("/a");
    await disk!.settled();
  }
  const { ask, asked, clock, tiers } = await startDisk(files, {
    cacheBytes: 1500,
  });
  const whole = await ask("/a");
  assertEquals(whole.text, textOf("/a"));
  assertMatch(whole.headers.get("cache-status")!, /^e; hit; ttl=/);
  const part = await ask("/a", { headers: { range: "bytes=990-" } });
  assertEquals([part.status, part.text], [206, "a".repeat(10)]);
  assertEquals([tiers.stats().objects, asked.length], [0, 0]);
  // What is stale is asked for anew, and then too large to keep.
  await clock.advanceTo(61_000);
  assertEquals((await ask("/a")).text, textOf("/a"));
  assertEquals(asked.length, 1);
});

Deno.test("Edge tells what a slow disk did not take, and keeps in memory what waits for it", async () => {
  const files = new MemoryFiles();
  const { ask, asked, disk, events } = await startDisk(files, {
    cacheBytes: 24_000,
  });
  const { opened, open } = gate();
  files.held = opened;
  for (const path of paths) await ask(path);
  // A quarter of the memory may wait: six of them.
  const skips = () =>
    events.flatMap((e) => e.type === "cache.skipped" ? [e.objects] : []);
  assertEquals(skips(), [1]);
  for (let n = 0; n < 40; n++) await ask(`/more${n}`);
  const before = asked.length;
  for (const path of paths.slice(0, 6)) await ask(path);
  assertEquals(asked.length, before);
  open();
  await disk!.settled();
  assertEquals(files.contents.size, 6);
  assertEquals(skips(), [1, 41]);
});

Deno.test("Edge has what it forgets off the disk while others keep the disk busy, also what is being written", async () => {
  const files = new MemoryFiles();
  const { ask, disk, tiers } = await startDisk(files, { cacheBytes: 1e6 });
  await ask("/a");
  await disk!.settled();
  const { opened, open } = gate();
  files.held = opened;
  await ask("/b");
  // Before each write ends there is another one.
  let more = 0;
  const write = files.writeAtomic.bind(files);
  files.writeAtomic = async (path, ...parts) => {
    if (more < 1000) await ask(`/more${more++}`);
    await write(path, ...parts);
  };
  await ask("/c");
  await ask("/d");
  for (const path of ["/a", "/b", "/c"]) {
    assertEquals(tiers.forgetAll(path), 1);
  }
  const forgotten = disk!.caughtUp();
  open();
  await forgotten;
  const held = [...files.contents.values()].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assert(more < 1000 && !held.some((text) => /[abc]{1000}$/.test(text)));
  await disk!.settled();
  assertEquals(more, 1000);
});

Deno.test("Edge answers with the newest of what memory and disk have for a request (RFC 9111 §4)", async () => {
  const files = new MemoryFiles();
  let vary: Record<string, string> = {};
  const start = async () => {
    const edge = edgeOf(
      (url) => new Response(textOf(url), { headers: { ...fields, ...vary } }),
      ["http://a.test"],
      { cacheBytes: 4000, disk: { files, capacityBytes: 1e6 } },
    );
    await edge.disk!.restore(edge.tiers);
    const versionFor = async (headers: HeadersInit = {}) =>
      (await edge.ask("/a", { headers })).headers.get("x-version");
    return { ...edge, versionFor };
  };
  const mine = { "x-a": "1" };
  {
    const { ask, asked, clock, disk, versionFor } = await start();
    await ask("/a");
    await clock.advanceTo(2000);
    // From now on the origin answers by a field of the request.
    vary = { vary: "x-a", "x-version": "2" };
    assertEquals(
      await versionFor({ ...mine, "cache-control": "no-cache" }),
      "2",
    );
    await disk!.settled();
    // The old one stays in memory, the new one does not.
    for (let n = 0; n < 20; n++) assertEquals(await versionFor(), null);
    for (let n = 0; n < 20; n++) await ask("/b");
    for (const path of paths.slice(2)) await ask(path);
    await disk!.settled();
    const before = asked.length;
    assertEquals(await versionFor(mine), "2");
    assertEquals(asked.length, before);
  }
  const { asked, versionFor } = await start();
  for (let n = 0; n < 2; n++) {
    // The old one comes into memory, and then it is there first.
    assertEquals(await versionFor(), null);
    assertEquals(await versionFor(mine), "2");
  }
  assertEquals(asked, []);
});

Deno.test("Edge lets the newest of what it has stand in for an origin that is gone, though that is on the disk alone", async () => {
  const files = new MemoryFiles();
  let answer = () => new Response("1", { headers: fields });
  const start = async (cacheBytes: number) => {
    const edge = edgeOf(() => answer(), ["http://a.test"], {
      cacheBytes,
      disk: { files, capacityBytes: 1e6 },
    });
    await edge.disk!.restore(edge.tiers);
    return edge;
  };
  const headers = { "x-a": "1" };
  {
    const { ask, clock, disk } = await start(1e6);
    await ask("/a");
    await clock.advanceTo(2000);
    answer = () =>
      new Response("2".repeat(3000), { headers: { ...fields, vary: "x-a" } });
    await ask("/a", { headers: { ...headers, "cache-control": "no-cache" } });
    await disk!.settled();
  }
  answer = () => {
    throw new RunError("connect-failed", "no");
  };
  for (const hasOlder of [true, false]) {
    const { ask, clock } = await start(4000);
    if (hasOlder) assertEquals((await ask("/a")).text, "1");
    await clock.advanceTo(70_000);
    const { status, text } = await ask("/a", { headers });
    assertEquals([status, text.slice(0, 3)], [200, "222"]);
  }
});

Deno.test("Edge that starts again answers with the newest of what its disk has for a request (RFC 9111 §4)", async () => {
  const files = new MemoryFiles();
  let vary: Record<string, string> = {};
  const start = async (diskBytes: number) => {
    const edge = edgeOf(
      (url) => new Response(textOf(url), { headers: { ...fields, ...vary } }),
      ["http://a.test"],
      { disk: { files, capacityBytes: diskBytes } },
    );
    await edge.disk!.restore(edge.tiers);
    return edge;
  };
  const headers = { "x-a": "1" };
  {
    const { ask, clock, disk } = await start(1e6);
    await ask("/a", { headers });
    await clock.advanceTo(2000);
    // From now on the origin answers by a field of the request.
    vary = { vary: "x-a", "x-version": "2" };
    await ask("/a", { headers: { ...headers, "cache-control": "no-cache" } });
    await disk!.settled();
    assertEquals(files.contents.size, 2);
  }
  {
    const { ask, asked } = await start(1e6);
    const again = await ask("/a", { headers });
    assertEquals(again.headers.get("x-version"), "2");
    assertEquals(asked, []);
  }
  // With room for one, the newest is what stays.
  const { ask, asked, events } = await start(2000);
  assertEquals((await ask("/a", { headers })).headers.get("x-version"), "2");
  assertEquals([asked.length, files.contents.size], [0, 1]);
  const restored = events.find(({ type }) => type === "cache.restored");
  assert(restored?.type === "cache.restored");
  assertEquals([restored.objects, restored.removed], [1, 1]);
});
