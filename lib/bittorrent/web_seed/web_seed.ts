/**
 * An HTTP server as one more peer (BEP 19).
 *
 * To the swarm a web seed is a peer that has everything and speaks BitTorrent: this machine is that peer. Picking pieces,
 * end game, limits, checking, and banning one whose pieces are wrong are then what they are for every peer. The
 * swarm begins pieces that lie behind each other at it, and blocks that do are fetched with one request.
 *
 * Peers go first when they are fast: every second the machine hears what they give together. Once that is as much as the
 * server gave when it was last asked, the server is left alone (it chokes the swarm), until peers give less than half of
 * it. A server that is busy (503, 429, no answer) is asked again after what it says, or 5, 10, 20 … 300 s; one that does
 * not have the file after 60 s and longer; one whose file has another length never.
 */
import { concat } from "../../core/bytes.ts";
import type { Machine } from "../../core/machine.ts";
import { RateMeter } from "../rate_meter.ts";
import { WireDecoder } from "../wire/decoder.ts";
import { encodeFeatures, encodeHandshake } from "../wire/handshake.ts";
import {
  type BlockRef,
  encodeMessage,
  PIECE_HEADER_BYTES,
  writePieceHeader,
} from "../wire/messages.ts";
import {
  AskedBlocks,
  type WebRange,
  webRangesOf,
  type WebSeedLayout,
} from "./run.ts";

/** Most bytes of one request: a server's log is to have lines, not one for each piece. */
const MAX_RUN_BYTES = 4 * 2 ** 20;
/**
 * With a download limit blocks are asked for one by one: so much is waited for, or so long. A server sends at once all that
 * it is asked for, so longer would be bursts of more than 100 ms of the limit, and shorter more requests.
 */
const GATHER_BYTES = 2 ** 20;
const GATHER_MS = 80;
/** A server that sends nothing for so long is given up for now. */
const SILENCE_MS = 20_000;
/** Peers of BitTorrent close a connection on which nothing is said for two minutes. */
const KEEP_ALIVE_MS = 60_000;
/** How soon a server that is busy, and one without the file, is asked again: each time twice as late, up to `mostMs`. */
const BUSY = { firstMs: 5_000, mostMs: 300_000 };
const WITHOUT_FILE = { firstMs: 60_000, mostMs: 600_000 };
/** Rates are means over so many seconds. */
const RATE_SECONDS = 5;

/** What happened. */
export type WebSeedInput =
  | { readonly kind: "start" }
  | { readonly kind: "timeout" }
  /** What the swarm says to this peer. */
  | { readonly kind: "received"; readonly bytes: Uint8Array }
  /** The head of an answer; `id`, here and below, is that of the `fetch`. */
  | {
    readonly kind: "answered";
    readonly id: number;
    readonly status: number;
    /** Where the body begins in the file, and how long the file is, as far as the answer says. */
    readonly offset: number | null;
    readonly fileBytes: number | null;
    readonly retryAfterMs: number | null;
  }
  | {
    readonly kind: "data";
    readonly id: number;
    readonly bytes: Uint8Array;
  }
  /** The body is over. */
  | { readonly kind: "ended"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  /** What all peers that are no web seeds give. */
  | { readonly kind: "rates"; readonly peersBytesPerSecond: number };

/** What to do. */
export type WebSeedOutput =
  /** The server works: join the swarm. */
  | { readonly kind: "join" }
  /** Say to the swarm. */
  | { readonly kind: "say"; readonly bytes: Uint8Array }
  /** Ask the server; one request at a time. */
  | {
    readonly kind: "fetch";
    readonly id: number;
    readonly url: string;
    readonly offset: number;
    readonly lengthBytes: number;
  }
  /** Give up the request under way. */
  | { readonly kind: "abort" }
  /** It did not work. `retryMs` is Infinity when it is not tried again. */
  | {
    readonly kind: "failed";
    readonly reason: string;
    readonly retryMs: number;
  };

/** How a {@linkcode WebSeed} is set up. */
export interface WebSeedOptions {
  readonly layout: WebSeedLayout;
  readonly url: string;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/** See the head of this file. */
export class WebSeed implements Machine<WebSeedInput, WebSeedOutput> {
  readonly #options: WebSeedOptions;
  readonly #decoder: WireDecoder;
  #out: WebSeedOutput[] = [];
  #nowMs = 0;
  readonly #asked = new AskedBlocks();
  /** When the oldest was asked for. */
  #askedAtMs = 0;
  /** The blocks being fetched, and where they are. */
  #run: BlockRef[] = [];
  #ranges: WebRange[] = [];
  #fetchId = 0;
  /** Bytes of the first range that are still to come. */
  #left = 0;
  /** The block being filled, as a message. */
  #message: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  #joined = false;
  #choking = true;
  /** Peers are fast enough without us. */
  #resting = false;
  #dead = false;
  #failures = 0;
  #retryAtMs = Infinity;
  #heardAtMs = 0;
  #saidAtMs = 0;
  #meter: RateMeter | null = null;
  #ownRate = 0;

  /** Creates a web seed that does nothing yet. */
  constructor(options: WebSeedOptions) {
    this.#options = options;
    const { pieceCount } = options.layout;
    this.#decoder = new WireDecoder({ pieceCount });
  }

  /** The next try, request, keep-alive, or end of patience. */
  get deadlineMs(): number {
    if (this.#ranges.length > 0) return this.#heardAtMs + SILENCE_MS;
    if (this.#retryAtMs < Infinity) return this.#retryAtMs;
    if (!this.#joined) return Infinity;
    return Math.min(
      this.#saidAtMs + KEEP_ALIVE_MS,
      this.#asked.size > 0 ? this.#askedAtMs + GATHER_MS : Infinity,
    );
  }

  /** What the server gives, in bytes per second. */
  get bytesPerSecond(): number {
    return this.#meter?.rate(this.#nowMs, RATE_SECONDS) ?? 0;
  }

  /** Takes one input. */
  handle(input: WebSeedInput, nowMs: number): WebSeedOutput[] {
    this.#nowMs = nowMs;
    this.#out = [];
    this.#meter ??= new RateMeter(nowMs);
    this.#take(input);
    return this.#out;
  }

  #take(input: WebSeedInput): void {
    switch (input.kind) {
      case "start":
        return this.#probe();
      case "timeout":
        return this.#timeout();
      case "received":
        for (const message of this.#decoder.push(input.bytes)) {
          if (message.kind === "request") this.#ask(message);
          if (message.kind === "cancel") this.#asked.remove(message);
        }
        return this.#fetchNext();
      case "rates":
        return this.#compare(input.peersBytesPerSecond);
    }
    // Of a request that was given up, or has given what it was for.
    if (input.id !== this.#fetchId || this.#ranges.length === 0) return;
    this.#heardAtMs = this.#nowMs;
    switch (input.kind) {
      case "answered":
        return this.#answered(input);
      case "data":
        return this.#data(input.bytes);
      case "ended":
        return this.#fail("the answer is too short");
      case "failed":
        return this.#fail(input.reason);
    }
  }

  /** Asks for a byte of the longest file: is it there, as long as it must be, and are ranges served? */
  #probe(): void {
    const { layout, url } = this.#options;
    let longest = 0;
    for (const [index, { padding, lengthBytes }] of layout.files.entries()) {
      if (padding) continue;
      if (lengthBytes > layout.files[longest]!.lengthBytes) longest = index;
    }
    const { offset } = layout.files[longest]!;
    const pieceIndex = Math.floor(offset / layout.pieceLength);
    const begin = offset - pieceIndex * layout.pieceLength;
    const blocks = [{ pieceIndex, begin, lengthBytes: 1 }];
    this.#run = [];
    this.#begin(webRangesOf(layout, { seed: url, blocks }));
  }

  #timeout(): void {
    if (this.#ranges.length > 0) {
      if (this.#nowMs - this.#heardAtMs >= SILENCE_MS) {
        this.#fail("it sends nothing");
      }
    } else if (this.#nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity;
      if (this.#joined) this.#choke(this.#resting);
      else this.#probe();
    } else if (this.#nowMs - this.#saidAtMs >= KEEP_ALIVE_MS) {
      this.#say(encodeMessage({ kind: "keep-alive" }));
    }
    this.#fetchNext();
  }

  #ask(block: BlockRef): void {
    const { pieceIndex, begin, lengthBytes } = block;
    if (this.#choking) {
      return this.#say(
        encodeMessage({ kind: "reject", pieceIndex, begin, lengthBytes }),
      );
    }
    if (this.#asked.size === 0) this.#askedAtMs = this.#nowMs;
    this.#asked.add(block);
  }

  /** Begins the next request if none is under way and enough is asked for. */
  #fetchNext(): void {
    if (this.#ranges.length > 0 || this.#asked.size === 0) return;
    const gathered = this.#asked.bytes >= GATHER_BYTES ||
      this.#nowMs - this.#askedAtMs >= GATHER_MS;
    if (!gathered) return;
    const { layout, url } = this.#options;
    this.#run = this.#asked.takeRun(layout, MAX_RUN_BYTES);
    this.#askedAtMs = this.#nowMs;
    this.#begin(webRangesOf(layout, { seed: url, blocks: this.#run }));
  }

  #begin(ranges: WebRange[]): void {
    this.#ranges = ranges;
    this.#nextRange();
  }

  /** Fetches the first of the ranges; padding is there already. */
  #nextRange(): void {
    this.#heardAtMs = this.#nowMs;
    for (;;) {
      const range = this.#ranges[0];
      if (range === undefined) return;
      this.#left = range.lengthBytes;
      if (range.url !== null) {
        const { url, offset, lengthBytes } = range;
        const id = this.#fetchId += 1;
        this.#out.push({ kind: "fetch", id, url, offset, lengthBytes });
        return;
      }
      this.#fill(new Uint8Array(range.lengthBytes));
      this.#ranges.shift();
    }
  }

  #answered(
    { status, offset, fileBytes, retryAfterMs }: Extract<
      WebSeedInput,
      { readonly kind: "answered" }
    >,
  ): void {
    const range = this.#ranges[0]!;
    if (status !== 206 && status !== 200) {
      const busy = status >= 500 || status === 429 || status === 408;
      return this.#fail(`it answers ${status}`, {
        ...(retryAfterMs === null ? {} : { afterMs: retryAfterMs }),
        again: busy ? BUSY : WITHOUT_FILE,
      });
    }
    if (fileBytes !== null && fileBytes !== range.fileBytes) {
      return this.#fail(
        `its file has ${fileBytes} bytes, the torrent's ${range.fileBytes}`,
        { afterMs: Infinity },
      );
    }
    if ((status === 200 ? 0 : offset) !== range.offset) {
      this.#fail("it does not serve ranges", { afterMs: Infinity });
    }
  }

  #data(bytes: Uint8Array): void {
    // What serves no ranges sends on behind the end.
    const taken = bytes.subarray(0, this.#left);
    this.#left -= taken.length;
    if (this.#joined) {
      this.#meter!.add(taken.length, this.#nowMs);
      this.#fill(taken);
    }
    if (this.#left > 0) return;
    this.#failures = 0;
    this.#ranges.shift();
    if (taken.length < bytes.length) this.#out.push({ kind: "abort" });
    if (!this.#joined) return this.#join();
    this.#nextRange();
    this.#fetchNext();
  }

  /** Puts bytes into the blocks of the run, and hands over those that are full. */
  #fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const block = this.#run[0]!;
      const length = PIECE_HEADER_BYTES + block.lengthBytes;
      if (this.#message === null) {
        this.#message = new Uint8Array(length);
        writePieceHeader(this.#message, 0, block);
        this.#filled = PIECE_HEADER_BYTES;
      }
      const part = bytes.subarray(at, at + length - this.#filled);
      this.#message.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < length) continue;
      this.#say(this.#message);
      this.#message = null;
      this.#run.shift();
    }
  }

  #join(): void {
    const { infoHash, peerId } = this.#options;
    const reserved = encodeFeatures({ fast: true });
    this.#joined = true;
    this.#out.push({ kind: "join" });
    this.#say(concat(
      encodeHandshake({ infoHash, peerId, reserved }),
      encodeMessage({ kind: "have-all" }),
    ));
    this.#choke(false);
  }

  /** Gives up for now: the swarm is to ask others, and we try again later. */
  #fail(
    reason: string,
    { again: { firstMs, mostMs } = BUSY, afterMs }: {
      readonly again?: typeof BUSY;
      readonly afterMs?: number;
    } = {},
  ): void {
    const retryMs = afterMs ?? Math.min(mostMs, firstMs * 2 ** this.#failures);
    this.#failures = Math.min(10, this.#failures + 1);
    this.#retryAtMs = this.#nowMs + retryMs;
    this.#dead = retryMs === Infinity;
    this.#ranges = [];
    this.#message = null;
    this.#out.push({ kind: "abort" }, { kind: "failed", reason, retryMs });
    if (!this.#joined) return;
    for (const block of this.#run.splice(0)) this.#asked.add(block);
    this.#choke(true);
  }

  #compare(peersBytesPerSecond: number): void {
    if (!this.#joined || this.#dead) return;
    if (!this.#resting) {
      this.#ownRate = this.bytesPerSecond || this.#ownRate;
      this.#resting = peersBytesPerSecond > 0 &&
        peersBytesPerSecond >= this.#ownRate && this.#ownRate > 0;
    } else this.#resting = peersBytesPerSecond >= this.#ownRate / 2;
    if (this.#retryAtMs === Infinity) this.#choke(this.#resting);
  }

  /** Chokes the swarm, which rejects what it asked for and is not being fetched, or lets it ask. */
  #choke(choking: boolean): void {
    if (choking === this.#choking) return;
    this.#choking = choking;
    this.#say(encodeMessage({ kind: choking ? "choke" : "unchoke" }));
    if (!choking) return;
    for (const block of this.#asked.takeAll()) {
      this.#say(encodeMessage({ kind: "reject", ...block }));
    }
  }

  #say(bytes: Uint8Array): void {
    this.#saidAtMs = this.#nowMs;
    this.#out.push({ kind: "say", bytes });
  }
}
