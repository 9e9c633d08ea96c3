/**
 * Writes Common Media Client Data (CTA-5004): the other side of `cmcd.ts`.
 *
 * A structured dictionary of RFC 8941 with the standard's own rules (§3.2): keys in alphabetical order, texts quoted,
 * words not, a key alone is true and none is false; `pr` is left out at 1. Numbers are rounded as the standard wants
 * them: 100 ms and 100 kbit/s where that is enough, so that a request tells no more of its sender than it must.
 */
import type { Cmcd } from "./cmcd.ts";

/** The header a key belongs to (§2.1). */
const HEADER_OF: Readonly<Record<string, string>> = {
  bl: "cmcd-request",
  dl: "cmcd-request",
  mtp: "cmcd-request",
  nor: "cmcd-request",
  su: "cmcd-request",
  br: "cmcd-object",
  d: "cmcd-object",
  ot: "cmcd-object",
  tb: "cmcd-object",
  bs: "cmcd-status",
  rtp: "cmcd-status",
  cid: "cmcd-session",
  pr: "cmcd-session",
  sf: "cmcd-session",
  sid: "cmcd-session",
  st: "cmcd-session",
};

/** The value of the query parameter `CMCD`, not yet percent-encoded; "" says nothing. */
export function cmcdQuery(cmcd: Cmcd): string {
  return pairsOf(cmcd).map(([, text]) => text).join(",");
}

/** The headers, those that say something. */
export function cmcdHeaders(cmcd: Cmcd): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [key, text] of pairsOf(cmcd)) {
    const name = HEADER_OF[key]!;
    headers[name] = headers[name] === undefined
      ? text
      : `${headers[name]},${text}`;
  }
  return headers;
}

/** Keys with the text of key and value, in alphabetical order. */
function pairsOf(cmcd: Cmcd): readonly (readonly [string, string])[] {
  const { playbackRate } = cmcd;
  const pairs: (readonly [string, string])[] = [];
  const add = (key: string, value: string | number | undefined) => {
    if (value !== undefined) pairs.push([key, `${key}=${value}`]);
  };
  const flag = (key: string, on: boolean) => {
    if (on) pairs.push([key, key]);
  };
  add("bl", rounded(cmcd.bufferMs, 100));
  add("br", kbits(cmcd.bitsPerSecond, 1));
  flag("bs", cmcd.stalled);
  add("cid", quoted(cmcd.contentId));
  add("d", rounded(cmcd.durationMs, 1));
  add("dl", rounded(cmcd.deadlineMs, 100));
  add("mtp", kbits(cmcd.throughputBitsPerSecond, 100));
  add(
    "nor",
    quoted(cmcd.next === undefined ? undefined : encodeURIComponent(cmcd.next)),
  );
  add("ot", cmcd.objectType);
  add("pr", playbackRate === 1 ? undefined : rounded(playbackRate, 0.01));
  add("rtp", kbits(cmcd.requestedBitsPerSecond, 100));
  add("sf", cmcd.format);
  add("sid", quoted(cmcd.sessionId));
  add("st", cmcd.streamType);
  flag("su", cmcd.startup);
  add("tb", kbits(cmcd.topBitsPerSecond, 1));
  return pairs;
}

function rounded(value: number | undefined, unit: number): number | undefined {
  if (value === undefined) return undefined;
  // Six digits: 108 hundredths are 1.08, not 1.0800000000000001.
  return Number((Math.round(value / unit) * unit).toFixed(6));
}

function kbits(
  bitsPerSecond: number | undefined,
  unit: number,
): number | undefined {
  return bitsPerSecond === undefined
    ? undefined
    : rounded(bitsPerSecond / 1000, unit);
}

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
