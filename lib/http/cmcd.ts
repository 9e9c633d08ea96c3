/**
 * Common Media Client Data (CTA-5004): what a player tells the CDN of itself, in a query parameter or in four headers.
 *
 * The parameter is taken out of the target: it differs in every request, and a cache that kept it in its key would
 * never hit.
 */
import type { FieldSource } from "./fields.ts";

/** Longest that is read: players send about 200 characters. */
const MAX_CHARACTERS = 4096;
/** Most keys that are read. */
const MAX_KEYS = 64;

const HEADERS = [
  "cmcd-request",
  "cmcd-object",
  "cmcd-status",
  "cmcd-session",
] as const;

/** What a player said; undefined is what it did not say, or not as a value of that key. */
export interface Cmcd {
  /** `sid`: the same for a whole session. */
  readonly sessionId: string | undefined;
  /** `cid`: the content. */
  readonly contentId: string | undefined;
  /** `bl`: media in the buffer, rounded to 100 ms. */
  readonly bufferMs: number | undefined;
  /** `br`: the rate of the object that is asked for. */
  readonly bitsPerSecond: number | undefined;
  /** `d`: media in the object that is asked for. */
  readonly durationMs?: number | undefined;
  /** `dl`: how long until the object must be there, rounded to 100 ms. */
  readonly deadlineMs?: number | undefined;
  /** `mtp`: what the player measured. */
  readonly throughputBitsPerSecond: number | undefined;
  /** `tb`: the highest rate there is. */
  readonly topBitsPerSecond: number | undefined;
  /** `rtp`: no more than this is of use to the player. */
  readonly requestedBitsPerSecond?: number | undefined;
  /** `bs`: the buffer ran dry since the last request. */
  readonly stalled: boolean;
  /** `su`: wanted at once, to start or to go on after a stall. */
  readonly startup: boolean;
  /** `pr`: 0 is paused, 1 is real time. */
  readonly playbackRate: number | undefined;
  /** `ot`: `v` video, `a` audio, `av` both, `i` initialization, `m` manifest. */
  readonly objectType: string | undefined;
  /** `sf`: `d` DASH, `h` HLS, `s` Smooth Streaming, `o` other. */
  readonly format?: string | undefined;
  /** `st`: `v` a title, `l` live. */
  readonly streamType?: string | undefined;
  /** `nor`: what the player will ask for next, relative to this object. */
  readonly next: string | undefined;
}

/** Takes the parameter `CMCD` out of a target; its text is decoded. */
export function takeCmcd(
  target: string,
): { readonly target: string; readonly cmcd: string | undefined } {
  if (!target.includes("CMCD=")) return { target, cmcd: undefined };
  const question = target.indexOf("?");
  if (question < 0) return { target, cmcd: undefined };
  let cmcd: string | undefined;
  const others = target.slice(question + 1).split("&").filter((pair) => {
    if (!pair.startsWith("CMCD=")) return true;
    cmcd ??= decoded(pair.slice(5));
    return false;
  });
  const path = target.slice(0, question);
  return {
    target: others.length === 0 ? path : `${path}?${others.join("&")}`,
    cmcd,
  };
}

/** The text of the four headers, joined; undefined when there is none. */
export function cmcdOfHeaders(fields: FieldSource): string | undefined {
  let text: string | undefined;
  for (const name of HEADERS) {
    const value = fields.get(name);
    if (value !== null) text = text === undefined ? value : `${text},${value}`;
  }
  return text;
}

/** Reads what a player says; what cannot be read is passed over. */
export function parseCmcd(text: string): Cmcd {
  const pairs = pairsOf(text.slice(0, MAX_CHARACTERS));
  const number = (key: string, unit: number) => {
    const value = pairs.get(key);
    return value !== undefined && /^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(value)
      ? Number(value) * unit
      : undefined;
  };
  const string = (key: string) => {
    const match = /^"((?:[^"\\]|\\.)*)"$/.exec(pairs.get(key) ?? "");
    return match?.[1]?.replace(/\\(.)/g, "$1").slice(0, 64);
  };
  const next = /^"((?:[^"\\]|\\.)*)"$/.exec(pairs.get("nor") ?? "")?.[1];
  const token = (key: string) => {
    const value = pairs.get(key);
    return value !== undefined && /^[a-z]{1,4}$/.test(value)
      ? value
      : undefined;
  };
  return {
    sessionId: string("sid"),
    contentId: string("cid"),
    bufferMs: number("bl", 1),
    bitsPerSecond: number("br", 1000),
    durationMs: number("d", 1),
    deadlineMs: number("dl", 1),
    throughputBitsPerSecond: number("mtp", 1000),
    requestedBitsPerSecond: number("rtp", 1000),
    topBitsPerSecond: number("tb", 1000),
    stalled: pairs.get("bs") === "?1",
    startup: pairs.get("su") === "?1",
    playbackRate: number("pr", 1),
    objectType: token("ot"),
    format: token("sf"),
    streamType: token("st"),
    next: next === undefined ? undefined : decoded(next),
  };
}

/** Keys and their values as written; a key alone is true, `?1` (RFC 8941 §3.2). */
function pairsOf(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  const pattern = /\s*([a-z][\w.-]*)(?:=("(?:[^"\\]|\\.)*"|[^,]*))?\s*(?:,|$)/y;
  for (
    let match = pattern.exec(text);
    match !== null && pairs.size < MAX_KEYS;
    match = pattern.exec(text)
  ) pairs.set(match[1]!, match[2]?.trim() ?? "?1");
  return pairs;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
