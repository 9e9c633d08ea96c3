import { assertEquals } from "@std/assert";
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
