/** What is to be forgotten while somebody fetches it. */
import { assert, assertEquals } from "@std/assert";
import { Forgotten } from "../../../../lib/http/cache/forgotten.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { MemoryFiles } from "../../../support/memory_files.ts";
import { edgeOf } from "./_edge.ts";

type Tiers = ReturnType<typeof edgeOf>["tiers"];

/** Orders that all mean `/a`, and one that does not. */
const ORDERS: readonly (readonly [string, (tiers: Tiers) => void])[] = [
  ["its URL", (tiers) => void tiers.forgetAll("/a")],
  [
    "a prefix",
    (tiers) => void tiers.forgetWhere(({ key }) => key.startsWith("/")),
  ],
  [
    "a tag",
    (tiers) =>
      void tiers.forgetWhere(({ fields }) => fields.get("cache-tag") === "t"),
  ],
];

/** An edge whose `meanwhile` happens while a request is at the origin; each answer has a number. */
function racing() {
  let count = 0;
  const during: { meanwhile: (tiers: Tiers) => void } = { meanwhile() {} };
  const edge = edgeOf((_, { headers }) => {
    const fields = new Headers([...headers].map(([n, v]) => [n, v]));
    count += 1;
    const { meanwhile } = during;
    during.meanwhile = () => {};
    meanwhile(edge.tiers);
    const range = fields.get("range");
    const isSame = fields.has("if-none-match");
    return new Response(isSame ? null : range ? "ab" : `version ${count}`, {
      status: isSame ? 304 : range ? 206 : 200,
      headers: {
        "cache-control": "max-age=60",
        "cache-tag": "t",
        etag: '"1"',
        ...(range
          ? { "content-range": "bytes 0-1/9", "content-length": "2" }
          : {}),
      },
    });
  }, ["http://a.test"]);
  return { ...edge, during };
}

for (const [what, forget] of ORDERS) {
  Deno.test(`Edge told to forget ${what} does not keep what is fetched at that moment, and fetches once for those who wait`, async () => {
    const { ask, asked, during } = racing();
    during.meanwhile = forget;
    const three = await Promise.all([ask("/a"), ask("/a"), ask("/a")]);
    assertEquals(three.map(({ text }) => text), [
      "version 1",
      "version 2",
      "version 2",
    ]);
    assertEquals((await ask("/a")).text, "version 2");
    assertEquals(asked.length, 2);
  });

  Deno.test(`Edge told to forget ${what} does not take it for fresh when the origin says so at that moment`, async () => {
    const { ask, asked, clock, during, tiers } = racing();
    await ask("/a");
    await clock.advanceTo(61_000);
    during.meanwhile = forget;
    assertEquals((await ask("/a")).text, "version 1");
    assertEquals(tiers.stats().objects, 0);
    assertEquals((await ask("/a")).text, "version 3");
    assertEquals(asked.length, 3);
  });
}

Deno.test("Edge told to forget something else keeps what is fetched at that moment", async () => {
  const { ask, asked, during } = racing();
  during.meanwhile = (tiers) => {
    tiers.forgetAll("/b");
    tiers.forgetWhere(({ fields }) => fields.get("cache-tag") === "u");
  };
  await ask("/a");
  assertEquals((await ask("/a")).text, "version 1");
  assertEquals(asked.length, 1);
});

Deno.test("Edge told to forget does not keep a part that is fetched at that moment", async () => {
  const { ask, during, tiers } = racing();
  const headers = { range: "bytes=0-1", "if-match": '"1"' };
  const filled = () => new Promise((turn) => setTimeout(turn));
  await ask("/a", { headers });
  await filled();
  assertEquals(tiers.stats().objects, 1);
  during.meanwhile = (tiers) => void tiers.forgetAll("/a");
  await ask("/a", { headers });
  await filled();
  assertEquals(tiers.stats().objects, 0);
});

Deno.test("Edge told to forget what it brings in from the disk at that moment does not have it again", async () => {
  const files = new MemoryFiles();
  const start = async () => {
    const edge = edgeOf(
      () => new Response("x", { headers: { "cache-control": "max-age=60" } }),
      ["http://a.test"],
      { disk: { files, capacityBytes: 1e6 } },
    );
    await edge.disk!.restore(edge.tiers);
    return edge;
  };
  const first = await start();
  await first.ask("/a");
  await first.disk!.settled();
  const { ask, asked, disk, events, tiers } = await start();
  const waiting = ask("/a");
  assertEquals(tiers.forgetAll("/a"), 1);
  await waiting;
  assertEquals(asked.length, 1);
  assert(events.every(({ type }) => type !== "cache.damaged"));
  await disk!.settled();
  assertEquals(files.contents.size, 1);
});

Deno.test("Forgotten knows a bounded number of orders, and takes the rest for given", () => {
  const forgotten = new Forgotten();
  const entry = { key: "/mine", fields: new Fields() };
  const begun = forgotten.count;
  forgotten.addKey("/other");
  assertEquals(forgotten.has(entry, begun), false);
  const later = forgotten.count;
  for (let n = 0; n <= 10_000; n++) forgotten.addKey(`/${n}`);
  assertEquals(forgotten.has(entry, begun), true);
  assertEquals(forgotten.has(entry, forgotten.count), false);
  for (let n = 0; n <= 100; n++) forgotten.addWhere(() => false);
  assertEquals(forgotten.has(entry, later), true);
  assertEquals(forgotten.has(entry, forgotten.count), false);
});
