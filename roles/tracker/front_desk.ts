import {
  formatAddress,
  parseAddress,
  unmapAddress,
} from "../../lib/core/address.ts";
import { toHex } from "../../lib/core/bytes.ts";
import { ProtocolError } from "../../lib/core/errors.ts";
import { RateMeter } from "../../lib/bittorrent/rate_meter.ts";
import type { SwarmAnswer } from "../../lib/bittorrent/tracker/table/messages.ts";
import type { SwarmTable } from "../../lib/bittorrent/tracker/table/swarm_table.ts";
import type {
  AnnounceRequest,
  ScrapeEntry,
} from "../../lib/bittorrent/tracker/messages.ts";
import type { Clock } from "../../lib/io/clock.ts";
import type { TrackerLog } from "./tracker_log.ts";

/** Most torrents in the answer to a scrape that names none. */
const MAX_SCRAPED = 1000;

/** What came over which door, from whom. */
export interface Visit {
  readonly transport: "http" | "udp";
  /** The address the request came from: 4 or 16 bytes. */
  readonly from: Uint8Array;
  readonly nowMs: number;
}

/** How an announce shall be answered. */
export interface AnswerForm {
  /** Whether the peer says it has an address of the other family, too. */
  readonly hasBoth: boolean;
  /** Whether the peers' ids are wanted. */
  readonly withIds: boolean;
  /** Most peers that fit the answer. */
  readonly capacity: number;
  /** What the URL said beside the tracker's address (BEP 41). */
  readonly urlData?: string | undefined;
}

/** What both doors, HTTP and UDP, do with an announce or a scrape: ask the table, tell the log. */
export class FrontDesk {
  readonly table: SwarmTable;
  readonly intervalSeconds: number;
  /** What peers send back as `trackerid`: the same for all, and of no use but to show that it comes back. */
  readonly trackerId: string;
  readonly #rate: RateMeter;
  readonly #log: TrackerLog;
  readonly #clock: Clock;

  /** Creates the desk of one table. */
  constructor(
    options: {
      readonly table: SwarmTable;
      readonly intervalSeconds: number;
      readonly trackerId: string;
      readonly log: TrackerLog;
      readonly clock: Clock;
    },
  ) {
    this.table = options.table;
    this.intervalSeconds = options.intervalSeconds;
    this.trackerId = options.trackerId;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#rate = new RateMeter(options.clock.nowMs());
  }

  /** Announces of the same peer shall be this far apart, unless there is an event to tell. */
  get minIntervalSeconds(): number {
    return Math.ceil(this.intervalSeconds / 2);
  }

  /** Announces in a second, over the last ten. */
  announcesPerSecond(): number {
    return this.#rate.rate(this.nowMs(), 10);
  }

  /** The time the table goes by. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Answers an announce. The answer is good until the next one. @throws {ProtocolError} Whose message is the failure reason. */
  announce(
    visit: Visit,
    request: AnnounceRequest,
    form: AnswerForm,
  ): SwarmAnswer {
    this.#rate.add(1, visit.nowMs);
    const address = told(visit.from, request.ip);
    const { capacity, hasBoth, withIds } = form;
    const numWant = Math.min(request.numWant ?? capacity, capacity);
    const isBoth = hasBoth || visit.transport === "http" &&
        address.length !== visit.from.length;
    const own = visit.from.length === 4 ? "ipv4" : "ipv6";
    const answer = this.table.announce({
      infoHash: request.infoHash,
      peerId: request.peerId,
      port: request.port,
      uploadedBytes: request.uploadedBytes,
      downloadedBytes: request.downloadedBytes,
      leftBytes: request.leftBytes,
      event: request.event,
      numWant,
      address,
      families: isBoth ? "both" : own,
      withIds,
    }, visit.nowMs);
    this.#log.add("announced", () => ({
      type: "tracker.announced",
      transport: visit.transport,
      host: formatAddress(address),
      port: request.port,
      infoHash: toHex(request.infoHash),
      peerId: toHex(request.peerId),
      announceEvent: request.event,
      uploadedBytes: request.uploadedBytes,
      downloadedBytes: request.downloadedBytes,
      leftBytes: request.leftBytes,
      peers: answer.ipv4.count + answer.ipv6.count,
      seeders: answer.seeders,
      leechers: answer.leechers,
      ...(form.urlData === undefined ? {} : { urlData: form.urlData }),
    }));
    return answer;
  }

  /** Answers a scrape; without info-hashes, of all torrents, at most 1000. */
  scrape(visit: Visit, infoHashes: readonly Uint8Array[]): ScrapeEntry[] {
    const entries = infoHashes.length === 0
      ? this.table.scrapeAll(MAX_SCRAPED)
      : infoHashes.map((infoHash) => this.table.scrape(infoHash));
    this.#log.add("scraped", () => ({
      type: "tracker.scraped",
      transport: visit.transport,
      host: formatAddress(visit.from),
      torrents: entries.length,
    }));
    return entries;
  }

  /** Notes that a request was refused. */
  refuse(visit: Visit, error: ProtocolError): void {
    this.#log.add("refused", () => ({
      type: "tracker.refused",
      transport: visit.transport,
      host: formatAddress(visit.from),
      code: error.code,
      reason: error.message,
    }));
  }
}

/**
 * The address other peers are told: the one the announce came from. From this machine or a private network it may name
 * another (BEP 3, "ip"): who shares our side of a gateway knows better how others reach it. From elsewhere that would
 * let anyone send a swarm to a third party.
 */
function told(from: Uint8Array, ip: string | undefined): Uint8Array {
  if (ip === undefined || !isNear(from)) return from;
  const named = unmapAddress(parseAddress(ip));
  // 0.0.0.0 and :: are where one listens, not where one is.
  return named.some((byte) => byte !== 0) ? named : from;
}

/** Loopback, link-local and private addresses (RFC 1918, 3927, 4193, 4291). */
function isNear(address: Uint8Array): boolean {
  const [a = 0, b = 0] = address;
  if (address.length === 4) {
    return a === 127 || a === 10 || a === 172 && (b & 0xf0) === 16 ||
      a === 192 && b === 168 || a === 169 && b === 254;
  }
  return (a & 0xfe) === 0xfc || a === 0xfe && (b & 0xc0) === 0x80 ||
    address.every((byte, at) => byte === (at === 15 ? 1 : 0));
}
