import type { Family } from "../../../core/address.ts";
import { ProtocolError, unlessBroken } from "../../../core/errors.ts";
import type { Machine } from "../../../core/machine.ts";
import type { Rng } from "../../../core/rng.ts";
import type {
  AnnounceReply,
  AnnounceRequest,
  ScrapeEntry,
} from "../messages.ts";
import { decodeUdpReply } from "./replies.ts";
import { encodeUdpRequest } from "./requests.ts";

/** BEP 15: a request is repeated after 15 * 2^n seconds, n = 0 to 8. */
const FIRST_TIMEOUT_MS = 15_000;
const MAX_ATTEMPTS = 9;
/** BEP 15: a client may use a connection id for one minute. */
const CONNECTION_LIFE_MS = 60_000;

/** What {@linkcode UdpTrackerClient} takes. A new request replaces one that is under way. */
export type UdpTrackerInput =
  | { readonly kind: "announce"; readonly request: AnnounceRequest }
  | { readonly kind: "scrape"; readonly infoHashes: readonly Uint8Array[] }
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  | { readonly kind: "timeout" };

/** What {@linkcode UdpTrackerClient} wants done. Each request ends in `announced`, `scraped` or `failed`. */
export type UdpTrackerOutput =
  | { readonly kind: "send"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "announced"; readonly reply: AnnounceReply }
  | { readonly kind: "scraped"; readonly entries: readonly ScrapeEntry[] }
  | { readonly kind: "failed"; readonly error: ProtocolError };

/** How to set up {@linkcode UdpTrackerClient}. */
export interface UdpTrackerClientOptions {
  /** Draws transaction ids and the key. */
  readonly rng: Rng;
  /** Family of the tracker's address: peers in replies are of the same. */
  readonly family: Family;
  /** First wait for a reply; each further one is twice as long. 15 s if not given, as BEP 15 has it. */
  readonly firstTimeoutMs?: number;
  /** How often a request is sent before giving up. 9 if not given, as BEP 15 has it: 127 minutes in all. */
  readonly maxAttempts?: number;
  /** Tells the tracker it is the same peer when its address changes; drawn if not given. */
  readonly key?: number;
  /** Path and query of the tracker's URL, such as `/announce?passkey=…` (BEP 41). */
  readonly urlData?: string;
}

type Request = Extract<UdpTrackerInput, { kind: "announce" | "scrape" }>;

/**
 * The client of one UDP tracker (BEP 15): connects where it must, sends the request, repeats it with doubling waits.
 *
 * A connection id serves for a minute; when it has grown too old between two attempts, the client connects again and
 * goes on counting attempts. Datagrams with another transaction id, and those that make no sense, are dropped: anyone
 * can send us a datagram.
 */
export class UdpTrackerClient
  implements Machine<UdpTrackerInput, UdpTrackerOutput> {
  readonly #options: UdpTrackerClientOptions;
  readonly #key: number;
  #request: Request | null = null;
  #connection: { readonly id: bigint; readonly untilMs: number } | null = null;
  /** What the next reply must answer. */
  #awaited: "connect" | "announce" | "scrape" = "connect";
  #transactionId = 0;
  #attempt = 0;
  /** Attempts at the request itself; connecting anew in between does not set them back. */
  #asked = 0;
  /** The connection id of this attempt was kept from an earlier request, so the tracker may have forgotten it. */
  #reused = false;
  #deadlineMs = Infinity;

  /** Creates a client that has nothing to do yet. */
  constructor(options: UdpTrackerClientOptions) {
    this.#options = options;
    this.#key = options.key ?? this.#random32();
  }

  /** When the pending request is repeated or given up. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Takes a request, a datagram from the tracker, or the passing of the deadline. */
  handle(input: UdpTrackerInput, nowMs: number): UdpTrackerOutput[] {
    switch (input.kind) {
      case "announce":
      case "scrape":
        this.#request = input;
        this.#attempt = 0;
        this.#asked = 0;
        this.#reused = this.#connection !== null;
        return this.#send(nowMs);
      case "timeout":
        return nowMs < this.#deadlineMs ? [] : this.#send(nowMs);
      case "datagram":
        return this.#receive(input.bytes, nowMs);
    }
  }

  #send(nowMs: number): UdpTrackerOutput[] {
    const { firstTimeoutMs = FIRST_TIMEOUT_MS, maxAttempts = MAX_ATTEMPTS } =
      this.#options;
    const request = this.#request;
    if (request === null) return [];
    if (this.#attempt >= maxAttempts) {
      return this.#fail(
        "tracker-no-answer",
        `Cannot reach the tracker: no answer to ${maxAttempts} requests`,
      );
    }
    this.#deadlineMs = nowMs + firstTimeoutMs * 2 ** this.#attempt;
    this.#attempt += 1;
    if (this.#connection !== null && nowMs >= this.#connection.untilMs) {
      this.#connection = null;
    }
    const connection = this.#connection;
    const awaited = connection === null ? "connect" : request.kind;
    // A late answer to an earlier attempt is as good, so the id changes only with the question.
    if (awaited !== this.#awaited || this.#attempt === 1) {
      this.#awaited = awaited;
      this.#transactionId = this.#random32();
    }
    const transactionId = this.#transactionId;
    if (connection === null) {
      return [{
        kind: "send",
        bytes: encodeUdpRequest({ kind: "connect", transactionId }),
      }];
    }
    this.#asked = this.#attempt;
    const head = { transactionId, connectionId: connection.id };
    const bytes = request.kind === "announce"
      ? encodeUdpRequest({
        kind: "announce",
        ...head,
        announce: request.request,
        key: this.#key,
        urlData: this.#options.urlData ?? "",
      })
      : encodeUdpRequest({
        kind: "scrape",
        ...head,
        infoHashes: request.infoHashes,
      });
    return [{ kind: "send", bytes }];
  }

  #receive(bytes: Uint8Array, nowMs: number): UdpTrackerOutput[] {
    if (this.#request === null) return [];
    const reply = unlessBroken(() =>
      decodeUdpReply(bytes, this.#options.family)
    );
    if (reply === undefined) return [];
    if (reply.transactionId !== this.#transactionId) return [];
    if (reply.kind === "error") return this.#refused(reply.message, nowMs);
    if (reply.kind !== this.#awaited) return [];
    switch (reply.kind) {
      case "connect":
        this.#connection = {
          id: reply.connectionId,
          untilMs: nowMs + CONNECTION_LIFE_MS,
        };
        this.#attempt = this.#asked;
        this.#reused = false;
        return this.#send(nowMs);
      case "announce":
        this.#rest();
        return [{ kind: "announced", reply: reply.announce }];
      case "scrape":
        return this.#scraped(reply.entries);
    }
  }

  #scraped(
    entries: readonly Omit<ScrapeEntry, "infoHash">[],
  ): UdpTrackerOutput[] {
    const asked = this.#request?.kind === "scrape"
      ? this.#request.infoHashes
      : [];
    if (entries.length !== asked.length) {
      return this.#fail(
        "tracker-reply-malformed",
        `Cannot read the tracker's reply: must have ${asked.length} torrents, got ${entries.length}`,
      );
    }
    this.#rest();
    return [{
      kind: "scraped",
      entries: asked.map((infoHash, index) => ({
        infoHash,
        seeders: 0,
        leechers: 0,
        completed: 0,
        ...entries[index],
      })),
    }];
  }

  /** An error may only mean that the tracker no longer knows a connection id we kept: ask for a new one, once. */
  #refused(message: string, nowMs: number): UdpTrackerOutput[] {
    if (this.#reused && this.#connection !== null) {
      this.#connection = null;
      this.#reused = false;
      this.#attempt = 0;
      this.#asked = 0;
      return this.#send(nowMs);
    }
    return this.#fail("tracker-refused", `The tracker refused: ${message}`);
  }

  #fail(code: string, message: string): UdpTrackerOutput[] {
    this.#rest();
    return [{ kind: "failed", error: new ProtocolError(code, message) }];
  }

  #rest(): void {
    this.#request = null;
    this.#deadlineMs = Infinity;
  }

  #random32(): number {
    return Math.floor(this.#options.rng() * 2 ** 32);
  }
}
