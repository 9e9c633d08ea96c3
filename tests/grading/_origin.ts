/**
 * The grader's own origin: a title of a few rates whose segments are plain bytes, behind a link that can be made narrow
 * and wide. What is asked for is written down; the tests judge a player by that alone.
 */

/** The rates of the title, lowest first, in bits per second. Far apart, so that it is plain which one fits. */
export const RATES = [100_000, 300_000, 900_000, 2_700_000] as const;

/** What goes through the link at a time. */
const CHUNK_BYTES = 2000;

/** How late a timer may be, on a busy machine. */
const CATCH_UP_MS = 200;

/** Initialization segments are of this size. */
const INIT_BYTES = 800;

/** What a player asked for. */
export interface Asked {
  readonly kind: "manifest" | "init" | "segment" | "other";
  /** Which rate, from 0, of an initialization segment or a segment; -1 for others. */
  readonly rate: number;
  /** Which segment, from 0; -1 for others. */
  readonly index: number;
}

/** What happens to a segment's first request. */
export type Fault = "not-found" | "cut";

/** What to serve. */
export interface OriginOptions {
  readonly segmentCount: number;
  /** Infinity unless given. */
  readonly bitsPerSecond?: number;
  readonly faults?: ReadonlyMap<number, Fault>;
  /** Called before what was asked for is answered. */
  readonly onAsked?: (asked: Asked) => void;
}

/** The manifest: segments of one second, numbered from 1. */
function manifestText(segmentCount: number): string {
  const representations = RATES.map((rate, at) =>
    `      <Representation id="r${at}" bandwidth="${rate}" codecs="avc1.4d401f" width="${
      320 * (at + 1)
    }" height="${180 * (at + 1)}"/>\n`
  ).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT1S"
  mediaPresentationDuration="PT${segmentCount}S" profiles="urn:mpeg:dash:profile:isoff-live:2011">
  <Period>
    <AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      <SegmentTemplate timescale="1000" duration="1000" startNumber="1"
        initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s"/>
${representations}    </AdaptationSet>
  </Period>
</MPD>
`;
}

/** A link: bytes go through one after the other, whoever they are for. */
class Link {
  bitsPerSecond: number;
  #freeAtMs = 0;

  constructor(bitsPerSecond: number) {
    this.bitsPerSecond = bitsPerSecond;
  }

  /** Resolves when so many bytes are through. @param isNext They come right after others of the same answer. */
  async pass(bytes: number, isNext: boolean): Promise<void> {
    if (this.bitsPerSecond === Infinity) return;
    const nowMs = performance.now();
    // A timer that woke late does not make the link narrower: what it missed goes through at once.
    const earliestMs = isNext ? nowMs - CATCH_UP_MS : nowMs;
    const startMs = Math.max(earliestMs, this.#freeAtMs);
    this.#freeAtMs = startMs + bytes * 8000 / this.bitsPerSecond;
    const waitMs = this.#freeAtMs - nowMs;
    if (waitMs > 0) await new Promise((wake) => setTimeout(wake, waitMs));
  }
}

function understand(path: string, segmentCount: number): Asked {
  if (path === "/manifest.mpd") {
    return { kind: "manifest", rate: -1, index: -1 };
  }
  const match = /^\/r([0-9])\/(?:init\.mp4|([1-9][0-9]*)\.m4s)$/.exec(path);
  const rate = Number(match?.[1]);
  const index = match?.[2] === undefined ? -1 : Number(match[2]) - 1;
  if (match === null || rate >= RATES.length || index >= segmentCount) {
    return { kind: "other", rate: -1, index: -1 };
  }
  return { kind: index < 0 ? "init" : "segment", rate, index };
}

/** The origin, on loopback. */
export class GradingOrigin implements AsyncDisposable {
  readonly #options: OriginOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #link: Link;
  readonly #faults: Map<number, Fault>;
  /** Paths that are not of the title, each once. */
  readonly others = new Set<string>();
  /** All that was asked for, in order. */
  readonly asked: Asked[] = [];
  /** Segments, each with its index, that were sent to the last byte. */
  readonly sent = new Set<number>();
  #open = 0;
  #lastAtMs = performance.now();

  constructor(options: OriginOptions) {
    this.#options = options;
    this.#link = new Link(options.bitsPerSecond ?? Infinity);
    this.#faults = new Map(options.faults);
    this.#server = Deno.serve({
      ...{ hostname: "127.0.0.1", port: 0, onListen() {} },
      handler: (request) => this.#answer(request),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/manifest.mpd`;
  }

  /** For how long nothing was asked for and nothing sent. */
  get quietMs(): number {
    return this.#open > 0 ? 0 : performance.now() - this.#lastAtMs;
  }

  setLink(bitsPerSecond: number): void {
    this.#link.bitsPerSecond = bitsPerSecond;
  }

  #answer(request: Request): Response {
    const path = new URL(request.url).pathname;
    const { segmentCount, onAsked } = this.#options;
    const asked = understand(path, segmentCount);
    this.#lastAtMs = performance.now();
    if (request.method === "HEAD") return new Response(null);
    if (asked.kind === "other") {
      this.others.add(path);
      return new Response("Not found\n", { status: 404 });
    }
    this.asked.push(asked);
    onAsked?.(asked);
    const fault = this.#faults.get(asked.index);
    this.#faults.delete(asked.index);
    if (fault === "not-found") {
      return new Response("Not found\n", { status: 404 });
    }
    const body = bodyOf(asked, segmentCount);
    const isManifest = asked.kind === "manifest";
    const part = partOf(body, request.headers.get("range"));
    const end = fault === "cut" ? part.bytes.length >> 1 : part.bytes.length;
    return new Response(this.#send(asked.index, part.bytes, end), {
      status: part.range === undefined ? 200 : 206,
      headers: {
        "content-type": isManifest ? "application/dash+xml" : "video/mp4",
        "content-length": `${part.bytes.length}`,
        ...(part.range === undefined ? {} : { "content-range": part.range }),
      },
    });
  }

  /** The bytes until `end`, as fast as the link lets them through; the connection ends if more were promised. */
  #send(
    index: number,
    bytes: Uint8Array<ArrayBuffer>,
    end: number,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    this.#open += 1;
    let isOpen = true;
    const done = () => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
      this.#lastAtMs = performance.now();
    };
    return new ReadableStream({
      pull: async (controller) => {
        const chunk = bytes.subarray(at, Math.min(end, at + CHUNK_BYTES));
        await this.#link.pass(chunk.length, at > 0);
        at += chunk.length;
        if (!isOpen) return;
        controller.enqueue(chunk);
        if (at < end) return;
        controller.close();
        done();
        if (end === bytes.length && index >= 0) this.sent.add(index);
      },
      cancel: done,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A player may still be in the middle of a segment.
    this.#link.bitsPerSecond = Infinity;
    const ended = this.#server.shutdown();
    // One that reads no more would keep the server from its end.
    await Promise.race([ended, new Promise((wake) => setTimeout(wake, 2000))]);
  }
}

function bodyOf(
  { kind, rate }: Asked,
  segmentCount: number,
): Uint8Array<ArrayBuffer> {
  if (kind === "manifest") {
    return new Uint8Array(new TextEncoder().encode(manifestText(segmentCount)));
  }
  const length = kind === "init" ? INIT_BYTES : RATES[rate]! / 8;
  return new Uint8Array(length).fill(0x61 + rate);
}

/** The part of a body that `Range` asks for (one range with a beginning), or all of it. */
function partOf(
  body: Uint8Array<ArrayBuffer>,
  range: string | null,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly range?: string } {
  const match = /^bytes=([0-9]+)-([0-9]*)$/.exec(range ?? "");
  const begin = Number(match?.[1]);
  if (match === null || begin >= body.length) return { bytes: body };
  const last = Math.min(
    match[2] === "" ? Infinity : Number(match[2]),
    body.length - 1,
  );
  return {
    bytes: body.subarray(begin, last + 1),
    range: `bytes ${begin}-${last}/${body.length}`,
  };
}
