import { assertEquals } from "@std/assert";
import { cmcdHeaders, cmcdQuery } from "../../../lib/http/cmcd_writer.ts";
import { Fields } from "../../../lib/http/fields.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import {
  type Cmcd,
  cmcdOfHeaders,
  parseCmcd,
  takeCmcd,
} from "../../../lib/http/cmcd.ts";

Deno.test("takeCmcd takes the parameter out of the target, wherever it stands", () => {
  const parameter = `CMCD=${encodeURIComponent('bl=100,sid="a b"')}`;
  const cmcd = 'bl=100,sid="a b"';
  for (
    const [target, wanted] of [
      [`/a?${parameter}`, "/a"],
      [`/a?x=1&${parameter}`, "/a?x=1"],
      [`/a?${parameter}&x=1&y`, "/a?x=1&y"],
      [`/a?${parameter}&CMCD=su`, "/a"],
    ]
  ) assertEquals(takeCmcd(target!), { target: wanted!, cmcd }, target);
  for (const target of ["/a", "/a?x=1", "/CMCD=x", "/a?XCMCD=bl%3D1"]) {
    assertEquals(takeCmcd(target), { target, cmcd: undefined });
  }
  assertEquals(takeCmcd("/a?CMCD=%zz"), { target: "/a", cmcd: undefined });
});

Deno.test("parseCmcd reads the standard's examples (CTA-5004 §3)", () => {
  const some = (text: string): Partial<Cmcd> =>
    Object.fromEntries(
      Object.entries(parseCmcd(text)).filter(([, value]) =>
        value !== undefined && value !== false
      ),
    );
  assertEquals(some('sid="6e2fb550-c457-11e9-bb97-0800200c9a66"'), {
    sessionId: "6e2fb550-c457-11e9-bb97-0800200c9a66",
  });
  assertEquals(
    some(
      'br=3200,bs,d=4004,mtp=25400,nor="..%2F300kbps%2Ftrack.m4v",nrr="12323-48763",ot=v,rtp=15000,sid="6e2f",tb=6000',
    ),
    {
      bitsPerSecond: 3_200_000,
      durationMs: 4004,
      requestedBitsPerSecond: 15_000_000,
      stalled: true,
      throughputBitsPerSecond: 25_400_000,
      topBitsPerSecond: 6_000_000,
      next: "../300kbps/track.m4v",
      objectType: "v",
      sessionId: "6e2f",
    },
  );
  assertEquals(some("bl=21300,pr=1.08,su,com.example-key=7"), {
    bufferMs: 21_300,
    playbackRate: 1.08,
    startup: true,
  });
  assertEquals(some('bl=-1,br=x,ot=V!,sid=abc,cid="a\\"b"'), {
    contentId: 'a"b',
  });
});

Deno.test("cmcdOfHeaders joins the four headers", () => {
  assertEquals(cmcdOfHeaders(new Fields([["x", "y"]])), undefined);
  const fields = new Fields([["CMCD-Object", "br=1"], [
    "CMCD-Request",
    "bl=2",
  ]]);
  assertEquals(cmcdOfHeaders(fields), "bl=2,br=1");
});

Deno.test("parseCmcd takes any text", () => {
  const rng = seededRng(5);
  const letters = 'abl=",;\\?1 .%2F';
  for (let run = 0; run < 2000; run++) {
    const text = Array.from(
      { length: 30 },
      () => letters[Math.floor(rng() * letters.length)],
    ).join("");
    parseCmcd(text);
    takeCmcd(`/a?CMCD=${text}`);
  }
  assertEquals(parseCmcd(`bl=1,${"a,".repeat(1e6)}`).bufferMs, 1);
});

Deno.test("cmcdQuery and cmcdHeaders write what the standard's examples look like", () => {
  const said = {
    ...parseCmcd(""),
    sessionId: "6e2f",
    contentId: 'a "b"',
    bitsPerSecond: 3_200_000,
    bufferMs: 21_349,
    stalled: true,
    next: "../300kbps/track.m4v",
    objectType: "v",
    playbackRate: 1,
  };
  // Keys in order, texts quoted, words not, what is true alone, what is the default left out (§3.2).
  assertEquals(
    cmcdQuery(said),
    'bl=21300,br=3200,bs,cid="a \\"b\\"",nor="..%2F300kbps%2Ftrack.m4v",ot=v,sid="6e2f"',
  );
  assertEquals(cmcdHeaders({ ...said, playbackRate: 1.08 }), {
    "cmcd-request": 'bl=21300,nor="..%2F300kbps%2Ftrack.m4v"',
    "cmcd-object": "br=3200,ot=v",
    "cmcd-status": "bs",
    "cmcd-session": 'cid="a \\"b\\"",pr=1.08,sid="6e2f"',
  });
  assertEquals(cmcdHeaders({ ...parseCmcd(""), startup: true }), {
    "cmcd-request": "su",
  });
});

Deno.test("what cmcdQuery and cmcdHeaders write, parseCmcd reads", () => {
  const rng = seededRng(11);
  const maybe = <T>(value: T) => rng() < 0.5 ? value : undefined;
  const whole = (most: number, unit: number) => Math.floor(rng() * most) * unit;
  const text = () =>
    Array.from(
      { length: Math.floor(rng() * 20) },
      () => 'ab1-/._ "\\,=?&%é'[Math.floor(rng() * 16)],
    ).join("");
  for (let run = 0; run < 500; run++) {
    const said: Cmcd = {
      sessionId: maybe(text()),
      contentId: maybe(text()),
      bufferMs: maybe(whole(1000, 100)),
      bitsPerSecond: maybe(whole(9000, 1000)),
      durationMs: maybe(whole(9000, 1)),
      deadlineMs: maybe(whole(1000, 100)),
      throughputBitsPerSecond: maybe(whole(1000, 100_000)),
      requestedBitsPerSecond: maybe(whole(1000, 100_000)),
      topBitsPerSecond: maybe(whole(9000, 1000)),
      stalled: rng() < 0.5,
      startup: rng() < 0.5,
      playbackRate: maybe(0.95),
      objectType: maybe("v"),
      format: maybe("d"),
      streamType: maybe("l"),
      next: maybe(text()),
    };
    assertEquals(parseCmcd(cmcdQuery(said)), said, `run ${run}`);
    const query = takeCmcd(`/a?CMCD=${encodeURIComponent(cmcdQuery(said))}`);
    assertEquals(parseCmcd(query.cmcd ?? ""), said, `run ${run}`);
    const fields = new Fields(Object.entries(cmcdHeaders(said)));
    const joined = cmcdOfHeaders(fields) ?? "";
    assertEquals(parseCmcd(joined), said, `run ${run}`);
  }
});
