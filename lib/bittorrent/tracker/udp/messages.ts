/**
 * The tracker's UDP messages (BEP 15). Requests and replies have a file each.
 *
 * A client first asks for a connection id, which proves that it receives what is sent to its address; announces and
 * scrapes then carry it. All numbers are big-endian. Requests start with 8 bytes of connection id (or a magic number),
 * then action and transaction id; replies start with action and transaction id.
 */
import type {
  AnnounceReply,
  AnnounceRequest,
  ScrapeEntry,
} from "../messages.ts";

/** The actions on the wire. Only a tracker sends `error`. */
export const ACTION = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;
/** Most torrents in one scrape, so that request and reply fit a datagram. */
export const MAX_UDP_SCRAPE_HASHES = 74;

/** What a client sends. `transactionId` is 32 bits, chosen by the client and repeated in the reply. */
export type UdpTrackerRequest =
  | { readonly kind: "connect"; readonly transactionId: number }
  | {
    readonly kind: "announce";
    readonly transactionId: number;
    readonly connectionId: bigint;
    readonly announce: AnnounceRequest;
    /** 32 bits that stay the same when the client's address changes. */
    readonly key: number;
    /** Path and query of the announce URL (BEP 41), such as `/announce?pass=key`. */
    readonly urlData?: string;
  }
  | {
    readonly kind: "scrape";
    readonly transactionId: number;
    readonly connectionId: bigint;
    /** 1 to {@linkcode MAX_UDP_SCRAPE_HASHES} of 20 bytes each. */
    readonly infoHashes: readonly Uint8Array[];
  };

/** What a client is told. */
export type UdpTrackerReply =
  | {
    readonly kind: "connect";
    readonly transactionId: number;
    readonly connectionId: bigint;
  }
  | {
    readonly kind: "announce";
    readonly transactionId: number;
    readonly announce: AnnounceReply;
  }
  | {
    readonly kind: "scrape";
    readonly transactionId: number;
    /** In the order of the request, which has the info-hashes. */
    readonly entries: readonly Omit<ScrapeEntry, "infoHash">[];
  }
  | {
    readonly kind: "error";
    readonly transactionId: number;
    readonly message: string;
  };
