import { assertEquals } from "@std/assert";
import { parseMpd } from "../../../lib/dash/mpd/mpd.ts";
import { planTitle } from "../../../lib/dash/title.ts";

const template = '<SegmentTemplate duration="4" media="$Number$"/>';

function plan(inside: string, limitMs?: number) {
  const text =
    `<MPD mediaPresentationDuration="PT10S"><Period>${inside}</Period></MPD>`;
  return planTitle(parseMpd(text, "http://a.example/m.mpd"), limitMs);
}

function set(attributes: string, rates: readonly number[], extra = "") {
  return `<AdaptationSet ${attributes}>${extra}${
    rates.map((rate) =>
      `<Representation id="${rate}" bandwidth="${rate}">${template}</Representation>`
    ).join("")
  }</AdaptationSet>`;
}

Deno.test("planTitle takes the video set with most rates, not audio, not trick play", () => {
  const positions = plan(
    set('mimeType="audio/mp4"', [1, 2, 3, 4]) +
      set('mimeType="video/mp4"', [50, 60]) +
      set('mimeType="video/webm"', [70, 90, 80]) +
      set('contentType="video"', [5, 6, 7, 8], "<EssentialProperty/>"),
  );
  assertEquals(positions[0]?.choices.map((choice) => choice.bitsPerSecond), [
    70,
    80,
    90,
  ]);
  assertEquals(positions.map((position) => position.durationMs), [
    4000,
    4000,
    2000,
  ]);
});

Deno.test("planTitle plays audio when there is no video", () => {
  const [first] = plan(set('mimeType="audio/mp4"', [9]));
  assertEquals(first?.choices.map((choice) => choice.bitsPerSecond), [9]);
});

Deno.test("planTitle stops at the limit and cuts the last stretch", () => {
  const positions = plan(set('mimeType="video/mp4"', [9]), 5000);
  assertEquals(
    positions.map(({ number, durationMs }) => [number, durationMs]),
    [[1, 4000], [2, 1000]],
  );
});

Deno.test("planTitle offers at each stretch the rates that have it", () => {
  const list = (rate: number, count: number) =>
    `<Representation bandwidth="${rate}"><SegmentList duration="4">${
      '<SegmentURL media="x"/>'.repeat(count)
    }</SegmentList></Representation>`;
  const positions = plan(
    `<AdaptationSet contentType="video">${list(1, 3)}${
      list(2, 2)
    }</AdaptationSet>`,
  );
  assertEquals(positions.map((position) => position.choices.length), [2, 2, 1]);
});
