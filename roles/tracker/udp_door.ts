import { ProtocolError } from "../../lib/core/errors.ts";
import type { ConnectionIds } from "../../lib/bittorrent/tracker/udp/connection_ids.ts";
import type { UdpTrackerRequest } from "../../lib/bittorrent/tracker/udp/messages.ts";
import {
  encodeUdpReply,
  udpPeerCapacity,
  writeUdpAnnounceReply,
} from "../../lib/bittorrent/tracker/udp/replies.ts";
import {
  decodeUdpRequest,
  udpRequestTransaction,
} from "../../lib/bittorrent/tracker/udp/requests.ts";
import type { Datagram } from "../../lib/io/net.ts";
import type { FrontDesk, Visit } from "./front_desk.ts";

/** What the door needs. */
export interface UdpDoorOptions {
  readonly desk: FrontDesk;
  readonly ids: ConnectionIds;
}

/**
 * Answers one datagram (BEP 15): writes to `reply` and returns how many bytes; 0 answers nothing.
 *
 * Who has not proved by a connection id that it receives at its address gets no more bytes back than it sent: the
 * tracker cannot be used to flood a third party. Announces with an unknown id are told so, since clients then connect
 * anew; other nonsense is not answered.
 */
export function answerDatagram(
  datagram: Datagram,
  reply: Uint8Array,
  { desk, ids }: UdpDoorOptions,
): number {
  const { bytes } = datagram;
  const nowMs = desk.nowMs();
  const visit: Visit = { transport: "udp", from: datagram.address, nowMs };
  const client = { address: datagram.address, nowMs };
  const transactionId = udpRequestTransaction(bytes);
  const proved = transactionId !== null && ids.accepts(bytes, client);
  try {
    const request = decodeUdpRequest(bytes);
    if (request.kind === "connect") {
      const connectionId = ids.issue(client);
      return copy(encodeUdpReply({ ...request, connectionId }), reply);
    }
    if (!proved) {
      throw new ProtocolError("connection-id-unknown", "connection id");
    }
    if (request.kind === "announce") {
      return announce(request, visit, { desk, reply });
    }
    const entries = desk.scrape(visit, request.infoHashes);
    return copy(encodeUdpReply({ ...request, entries }), reply);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    desk.refuse(visit, error);
    const answerable = transactionId !== null &&
      (proved || error.code === "connection-id-unknown");
    if (!answerable) return 0;
    const { message } = error;
    return copy(
      encodeUdpReply({ kind: "error", transactionId, message }),
      reply,
    );
  }
}

function announce(
  request: Extract<UdpTrackerRequest, { kind: "announce" }>,
  visit: Visit,
  { desk, reply }: { readonly desk: FrontDesk; readonly reply: Uint8Array },
): number {
  // A reply holds peers of the family it travels by (BEP 15).
  const family = visit.from.length === 4 ? "ipv4" : "ipv6";
  const answer = desk.announce(visit, request.announce, {
    hasBoth: false,
    withIds: false,
    capacity: udpPeerCapacity(family),
    urlData: request.urlData,
  });
  const head = {
    transactionId: request.transactionId,
    intervalSeconds: desk.intervalSeconds,
    seeders: answer.seeders,
    leechers: answer.leechers,
  };
  return writeUdpAnnounceReply(reply, head, { peers: answer[family], family });
}

function copy(bytes: Uint8Array, into: Uint8Array): number {
  into.set(bytes);
  return bytes.length;
}
