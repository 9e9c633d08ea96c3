import { assertEquals, assertMatch } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import type { RequestState } from "../../../../lib/dash/player/request_state.ts";
import { parseCmcd, takeCmcd } from "../../../../lib/http/cmcd.ts";
import { CmcdSession } from "../../../../roles/dash_client/network/cmcd.ts";

const STATE: RequestState = {
  contentType: "video",
  bitsPerSecond: 1_000_000,
  topBitsPerSecond: 2_500_000,
  durationMs: 5000,
  bufferMs: 12_340,
  throughputBitsPerSecond: 4_321_000,
  startup: false,
  stalled: true,
  next: "http://a.example/film/v/2.m4s",
};

function session(by: "query" | "header") {
  return new CmcdSession(by, {
    contentId: "http://a.example/film/manifest.mpd",
    ctx: { rng: seededRng(1) },
  });
}

Deno.test("CmcdSession tells of a player in the query, and of no more than it knows", () => {
  const cmcd = session("query");
  const url = new URL("http://a.example/film/v/1.m4s?x=1");
  const told = new URL(cmcd.segment(STATE)(url).url);
  const { target, cmcd: text } = takeCmcd(`${told.pathname}${told.search}`);
  assertEquals(target, "/film/v/1.m4s?x=1");
  assertMatch(
    text!,
    /^bl=12300,br=1000,bs,cid="http:\/\/a\.example\/film\/manifest\.mpd",d=5000,dl=12300,mtp=4300,nor="2\.m4s",ot=v,rtp=2000,sf=d,sid="[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",st=v,tb=2500$/,
  );
});

Deno.test("CmcdSession tells in headers, and of initialization, sound, live and manifest", () => {
  const cmcd = session("header");
  const url = new URL("http://a.example/film/v/init.mp4");
  const said = (request: { headers: Readonly<Record<string, string>> }) =>
    parseCmcd(Object.values(request.headers).join(","));
  const first = said(cmcd.segment({ ...STATE, durationMs: undefined })(url));
  assertEquals(
    [first.objectType, first.bufferMs, first.durationMs, first.next],
    ["i", undefined, undefined, "2.m4s"],
  );
  cmcd.setLive();
  const sound = said(
    cmcd.segment({
      ...STATE,
      contentType: "audio",
      startup: true,
      next: "http://b.example/2.m4s",
    })(url),
  );
  assertEquals(
    [sound.objectType, sound.streamType, sound.startup, sound.next],
    ["a", "l", true, undefined],
  );
  const manifest = said(cmcd.manifest()(url));
  assertEquals(
    [manifest.objectType, manifest.format, manifest.sessionId],
    ["m", "d", first.sessionId],
  );
  assertEquals(cmcd.manifest()(url).url, url.href);
});
