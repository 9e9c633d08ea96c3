import {
  formatAddress,
  parseAddress,
  unmapAddress,
} from "../../lib/core/address.ts";
import { toHex } from "../../lib/core/bytes.ts";
import { ProtocolError } from "../../lib/core/errors.ts";
import type { SwarmTable } from "../../lib/bittorrent/swarm_table.ts";
import type {
  AnnounceReply,
  AnnounceRequest,
  ScrapeEntry,
} from "../../lib/bittorrent/tracker_messages.ts";
import type { Clock } from "../../lib/io/clock.ts";
import type { TrackerLog } from "./tracker_log.ts";

/** Most torrents in the answer to a scrape that names none. */
const MAX_SCRAPED = 1000;

/** What came over which door, from whom. */
export interface Visit {
  readonly transport: "http" | "udp";
  /** The address the request came from. */
  readonly host: string;
}

/** What both doors, HTTP and UDP, do with an announce or a scrape: ask the table, tell the log. */
export class FrontDesk {
  readonly table: SwarmTable;
  readonly intervalSeconds: number;
  readonly #log: TrackerLog;
  readonly #clock: Clock;

  /** Creates the desk of one table. */
  constructor(
    options: {
      readonly table: SwarmTable;
      readonly intervalSeconds: number;
      readonly log: TrackerLog;
      readonly clock: Clock;
    },
  ) {
    this.table = options.table;
    this.intervalSeconds = options.intervalSeconds;
    this.#log = options.log;
    this.#clock = options.clock;
  }

  /** The time the table goes by. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Answers an announce. @throws {ProtocolError} Whose message is the failure reason. */
  announce(visit: Visit, request: AnnounceRequest): AnnounceReply {
    const host = addressOf(visit, request);
    const answer = this.table.announce({
      ...request,
      host,
      // A UDP reply has room for one family only (BEP 15).
      bothFamilies: visit.transport === "http",
    }, this.nowMs());
    this.#log.add("announced", () => ({
      type: "tracker.announced",
      transport: visit.transport,
      host,
      port: request.port,
      infoHash: toHex(request.infoHash),
      peerId: toHex(request.peerId),
      announceEvent: request.event,
      uploadedBytes: request.uploadedBytes,
      downloadedBytes: request.downloadedBytes,
      leftBytes: request.leftBytes,
      peers: answer.peers.length,
      seeders: answer.seeders,
      leechers: answer.leechers,
    }));
    return { ...answer, intervalSeconds: this.intervalSeconds, warning: null };
  }

  /** Answers a scrape; without info-hashes, of all torrents, at most 1000. */
  scrape(visit: Visit, infoHashes: readonly Uint8Array[]): ScrapeEntry[] {
    const nowMs = this.nowMs();
    const entries = infoHashes.length === 0
      ? this.table.scrapeAll(MAX_SCRAPED, nowMs)
      : infoHashes.map((infoHash) => this.table.scrape(infoHash, nowMs));
    this.#log.add("scraped", () => ({
      type: "tracker.scraped",
      transport: visit.transport,
      host: visit.host,
      torrents: entries.length,
    }));
    return entries;
  }

  /** Notes that a request was refused. */
  refuse(visit: Visit, error: ProtocolError): void {
    this.#log.add("refused", () => ({
      type: "tracker.refused",
      transport: visit.transport,
      host: visit.host,
      code: error.code,
      reason: error.message,
    }));
  }
}

/**
 * The address other peers are told: the one the announce came from, in the one form every address has, so that one peer
 * is one peer over HTTP and UDP. An announce from this machine itself may name another (BEP 3, "ip"): its peers may
 * listen on any of its addresses. From elsewhere that would let anyone send a swarm to a third party.
 */
function addressOf(visit: Visit, request: AnnounceRequest): string {
  try {
    // The part after % names an interface of this machine, which means nothing elsewhere.
    const from = unmapAddress(parseAddress(visit.host.replace(/%.*$/, "")));
    if (request.ip === undefined || !isLoopback(from)) {
      return formatAddress(from);
    }
    const named = unmapAddress(parseAddress(request.ip));
    // 0.0.0.0 and :: are where one listens, not where one is.
    return formatAddress(named.some((byte) => byte !== 0) ? named : from);
  } catch (cause) {
    throw new ProtocolError(
      "address-unknown",
      "this tracker cannot tell your address",
      { cause },
    );
  }
}

function isLoopback(address: Uint8Array): boolean {
  return address.length === 4
    ? address[0] === 127
    : address.every((byte, at) => byte === (at === 15 ? 1 : 0));
}
