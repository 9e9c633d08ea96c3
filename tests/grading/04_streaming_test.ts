/**
 * Lesson 4, streaming: an origin of video in segments. Its title is a static one and begins with `/manifest.mpd`, or
 * with the MPD that is named.
 *
 *     python3 origin.py --root film --port 8080 &
 *     ROLECALL_TARGET=http://127.0.0.1:8080 deno test -A tests/grading/04_streaming_test.ts
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Answer,
  ask,
  assertKeptIn,
  assertSameBytes,
  connect,
} from "./_http.ts";
import { parseXml, secondsOf } from "./_mpd.ts";
import { aFile, fetchSegment, origin, readRates } from "./_title.ts";

const extra = { extra: true };
/** A title may be long. */
const ALL_SEGMENTS_MS = 120_000;
const PARALLEL = 4;

function asked(url: URL, range: string, more = {}): Promise<Answer> {
  return ask(url, { fields: { Range: range, ...more } });
}

origin("manifest: it is served as application/dash+xml", async (manifest) => {
  const { status, fields } = await ask(manifest);
  assertEquals(status, 200);
  assertMatch(fields.get("content-type") ?? "none", /^application\/dash\+xml/);
});

origin(
  "manifest: it is well-formed XML, an MPD of a title with its duration",
  async (manifest) => {
    const { name, attributes } = parseXml((await ask(manifest)).text);
    assertEquals([name, attributes["type"] ?? "static"], ["MPD", "static"]);
    const seconds = secondsOf(attributes["mediaPresentationDuration"]);
    assert(seconds > 0, "mediaPresentationDuration");
  },
);

origin(
  "manifest: the video is there in several rates, each with its bandwidth",
  async (manifest) => {
    const rates = (await readRates(manifest)).filter(({ isVideo }) => isVideo);
    for (const { id, bitsPerSecond } of rates) {
      assert(bitsPerSecond > 0, `bandwidth of "${id}"`);
    }
    assert(new Set(rates.map((one) => one.bitsPerSecond)).size > 1);
  },
);

origin(
  "segments: every one of the lowest rate can be fetched",
  async (manifest) => {
    const [rate] = (await readRates(manifest)).filter((one) => one.isVideo);
    const left = [...rate!.segments];
    await Promise.all(Array.from({ length: PARALLEL }, async () => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) {
        await fetchSegment(one);
      }
    }));
  },
  { limitMs: ALL_SEGMENTS_MS },
);

origin(
  "segments: every rate has its initialisation, its first and its last segment",
  async (manifest) => {
    for (const { initialization, segments } of await readRates(manifest)) {
      if (initialization !== undefined) await fetchSegment(initialization);
      await fetchSegment(segments[0]!);
      await fetchSegment(segments.at(-1)!);
    }
  },
  { limitMs: ALL_SEGMENTS_MS },
);

origin(
  "segments: their count fits the duration of the title",
  async (manifest) => {
    for (const rate of await readRates(manifest)) {
      // A rate that is one file has no count.
      if (Number.isNaN(rate.coveredSeconds)) continue;
      const away = Math.abs(rate.coveredSeconds - rate.seconds);
      const said =
        `"${rate.id}": ${rate.segments.length} segments are ${rate.coveredSeconds} s of ${rate.seconds} s`;
      assert(away <= rate.longestSeconds, said);
      if (rate.beyond === undefined) continue;
      const { status } = await ask(rate.beyond.url);
      assertEquals(status, 404, `${rate.beyond.url.pathname} is after the end`);
    }
  },
);

origin(
  "segments: a rate needs no more than its bandwidth says",
  async (manifest) => {
    const [rate] = (await readRates(manifest)).filter((one) => one.isVideo);
    let bytes = 0;
    for (const one of rate!.segments) bytes += (await fetchSegment(one)).length;
    const measured = bytes * 8 / rate!.seconds;
    // Heads of segments and a rate control's slips are let pass.
    assert(
      measured <= 1.25 * rate!.bitsPerSecond,
      `"${rate!.id}": ${Math.round(measured)} bit/s`,
    );
  },
  { ...extra, limitMs: ALL_SEGMENTS_MS },
);

origin(
  "range: the bytes from 10 to 19 are 206 with Content-Range",
  async (manifest) => {
    const { url, whole: { body } } = await aFile(manifest);
    const part = await asked(url, "bytes=10-19");
    assertEquals(part.status, 206);
    assertEquals(
      part.fields.get("content-range"),
      `bytes 10-19/${body.length}`,
    );
    assertSameBytes(part.body, body.subarray(10, 20));
  },
);

origin(
  "range: one without an end, or with one too far, reaches to the last byte",
  async (manifest) => {
    const { url, whole: { body } } = await aFile(manifest);
    for (const end of ["", "99999999999"]) {
      const part = await asked(url, `bytes=50-${end}`);
      const range = `bytes 50-${body.length - 1}/${body.length}`;
      assertEquals([part.status, part.fields.get("content-range")], [
        206,
        range,
      ]);
      assertSameBytes(part.body, body.subarray(50));
    }
  },
);

origin("range: the last 7 bytes (bytes=-7)", async (manifest) => {
  const { url, whole: { body } } = await aFile(manifest);
  const part = await asked(url, "bytes=-7");
  const range = `bytes ${body.length - 7}-${body.length - 1}/${body.length}`;
  assertEquals([part.status, part.fields.get("content-range")], [206, range]);
  assertSameBytes(part.body, body.subarray(-7));
});

origin(
  "range: one after the end is 416 and says how long the file is",
  async (manifest) => {
    const { url, whole: { body } } = await aFile(manifest);
    const { status, fields } = await asked(url, `bytes=${body.length}-`);
    assertEquals(status, 416);
    assertEquals(fields.get("content-range"), `bytes */${body.length}`);
  },
);

origin(
  "range: what is no range is not heeded, or refused",
  async (manifest) => {
    const { url, whole } = await aFile(manifest);
    for (const range of ["bytes=9-5", "bytes=x-y", "apples=1-2"]) {
      const { status, body } = await asked(url, range);
      // A unit that is not known has to be passed over.
      const refused = range.startsWith("bytes") && [400, 416].includes(status);
      if (!refused) assertEquals(status, 200, range);
      if (!refused) assertSameBytes(body, whole.body);
    }
  },
  extra,
);

origin(
  "range: If-Range gives the part of this file, and the whole of a changed one",
  async (manifest) => {
    const { url, whole } = await aFile(manifest);
    const etag = whole.fields.get("etag") ?? "none";
    const same = await asked(url, "bytes=0-9", { "If-Range": etag });
    const other = await asked(url, "bytes=0-9", { "If-Range": '"other"' });
    assertEquals([same.status, other.status], [206, 200]);
  },
  extra,
);

origin("range: two at once come as multipart/byteranges", async (manifest) => {
  const { url, whole: { body } } = await aFile(manifest);
  const answer = await asked(url, "bytes=0-9,50-59");
  assertEquals(answer.status, 206);
  const type = answer.fields.get("content-type") ?? "none";
  const boundary = /^multipart\/byteranges;.*boundary="?([^";]+)/i.exec(type);
  assert(boundary !== null, `Content-Type: ${type}`);
  const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
  const parts = latin1(answer.body).split(`--${boundary[1]}`).slice(1, -1);
  assertEquals(parts.length, 2);
  for (const [index, first] of [0, 50].entries()) {
    const [head, ...rest] = parts[index]!.split("\r\n\r\n");
    const range = `bytes ${first}-${first + 9}/${body.length}`;
    assert(head!.includes(range), `part ${index + 1} is ${range}`);
    const bytes = latin1(body.subarray(first, first + 10));
    assert(rest.join("\r\n\r\n") === `${bytes}\r\n`, `bytes of ${range}`);
  }
}, extra);

origin(
  "unchanged: who has the file (If-None-Match with its ETag) gets 304 without a body",
  async (manifest) => {
    for (const url of [manifest, (await aFile(manifest)).url]) {
      const etag = (await ask(url)).fields.get("etag");
      assert(etag !== null, `${url.pathname} has an ETag`);
      const get = (tag: string) =>
        ask(url, { fields: { "If-None-Match": tag } });
      const { status, body } = await get(etag);
      assertEquals([status, body.length], [304, 0]);
      assertEquals((await get('"another"')).status, 200);
    }
  },
);

origin(
  "unchanged: the ETag may stand in a list, and * is any",
  async (manifest) => {
    const { url, whole } = await aFile(manifest);
    const etag = whole.fields.get("etag");
    for (const tags of [`"a", ${etag}, "b"`, "*"]) {
      const fields = { "If-None-Match": tags };
      assertEquals((await ask(url, { fields })).status, 304, tags);
    }
  },
  extra,
);

origin("head: HEAD has the fields of GET and no body", async (manifest) => {
  const { url, whole } = await aFile(manifest);
  const { status, fields, body } = await ask(url, { method: "HEAD" });
  assertEquals([status, body.length], [200, 0]);
  assertEquals(fields.get("content-length"), `${whole.body.length}`);
  for (const name of ["content-type", "etag"]) {
    assertEquals(fields.get(name), whole.fields.get(name), name);
  }
});

origin(
  "refused: what is not there is 404, and the next is served",
  async (manifest) => {
    for (const name of ["not-there.m4s", "no/folder/x.mp4", "manifest.mpd.x"]) {
      const { status } = await ask(new URL(name, manifest));
      assertEquals(status, 404, name);
    }
    assertEquals((await ask(manifest)).status, 200);
  },
);

origin(
  "refused: nothing outside its folder, by .. in any spelling",
  async (manifest) => {
    await assertKeptIn(manifest);
    assertEquals((await ask(manifest)).status, 200);
  },
);

origin(
  "pages: pages of other servers may read manifest and segments (CORS)",
  async (manifest) => {
    const page = "http://player.example";
    for (const url of [manifest, (await aFile(manifest)).url]) {
      const { fields } = await ask(url, { fields: { Origin: page } });
      const allowed = fields.get("access-control-allow-origin") ?? "none";
      assert(["*", page].includes(allowed), `${url.pathname}: ${allowed}`);
    }
  },
);

origin(
  "caches: a segment says for how long it may be kept (Cache-Control)",
  async (manifest) => {
    const { fields } = (await aFile(manifest)).whole;
    assertMatch(fields.get("cache-control") ?? "none", /max-age=[1-9]/);
  },
  extra,
);

origin(
  "caches: gzip makes the manifest smaller, for who takes it (Vary)",
  async (manifest) => {
    const plain = await ask(manifest);
    const fields = { "Accept-Encoding": "gzip" };
    const zipped = await ask(manifest, { fields });
    assertEquals(plain.fields.get("content-encoding"), null);
    assertEquals(zipped.fields.get("content-encoding"), "gzip");
    for (const answer of [plain, zipped]) {
      const vary = answer.fields.get("vary") ?? "none";
      assertMatch(vary, /accept-encoding|\*/i, "Vary");
    }
    const unzipped = new Blob([zipped.body]).stream()
      .pipeThrough(new DecompressionStream("gzip"));
    assertEquals(await new Response(unzipped).text(), plain.text);
  },
  extra,
);

origin(
  "many: a client that says nothing does not hold up another",
  async (manifest) => {
    using _silent = await connect(manifest);
    assertEquals((await ask(manifest)).status, 200);
  },
);

origin("many: eight clients at once get the same bytes", async (manifest) => {
  const { url, whole } = await aFile(manifest);
  const answers = Array.from({ length: 8 }, () => fetch(url));
  for (const answer of await Promise.all(answers)) {
    assertSameBytes(await answer.bytes(), whole.body);
  }
});

// Last, since a server that does it has one file less.
origin(
  "refused: files are not changed by POST, PUT and DELETE",
  async (manifest) => {
    const { url, whole } = await aFile(manifest);
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status } = await ask(url, { method, body: "x" });
      assert(status >= 400, `${method} is ${status}`);
    }
    assertSameBytes((await ask(url)).body, whole.body);
  },
);
