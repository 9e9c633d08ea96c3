import { ProtocolError } from "../../lib/core/errors.ts";
import { isIpv6 } from "../../lib/bittorrent/tracker_messages.ts";
import type { ConnectionIds } from "../../lib/bittorrent/tracker_connection_ids.ts";
import {
  decodeUdpRequest,
  encodeUdpReply,
  udpRequestHead,
  type UdpTrackerReply,
  type UdpTrackerRequest,
} from "../../lib/bittorrent/tracker_udp.ts";
import type { FrontDesk, Visit } from "./front_desk.ts";

/**
 * Answers one datagram (BEP 15); null answers nothing.
 *
 * Who has not proved by a connection id that it receives at its address gets no more bytes back than it sent: the
 * tracker cannot be used to flood a third party. Announces with an unknown id are told so, since clients then connect
 * anew; other nonsense is not answered.
 */
export function answerDatagram(
  bytes: Uint8Array,
  host: string,
  { desk, ids }: { readonly desk: FrontDesk; readonly ids: ConnectionIds },
): Uint8Array<ArrayBuffer> | null {
  const visit: Visit = { transport: "udp", host };
  const reply = replyTo(bytes, visit, { desk, ids });
  return reply === null
    ? null
    : encodeUdpReply(reply, isIpv6(host) ? "ipv6" : "ipv4");
}

function replyTo(
  bytes: Uint8Array,
  visit: Visit,
  { desk, ids }: { readonly desk: FrontDesk; readonly ids: ConnectionIds },
): UdpTrackerReply | null {
  const head = udpRequestHead(bytes);
  const proved = head !== null &&
    ids.accepts(head.connectionId, visit.host, desk.nowMs());
  try {
    const request = decodeUdpRequest(bytes);
    if (request.kind === "connect") {
      const connectionId = ids.issue(visit.host, desk.nowMs());
      return { ...request, connectionId };
    }
    if (!proved) {
      throw new ProtocolError("connection-id-unknown", "connection id");
    }
    return handle(request, visit, desk);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    desk.refuse(visit, error);
    const answerable = head !== null &&
      (proved || error.code === "connection-id-unknown");
    if (!answerable) return null;
    const { transactionId } = head;
    return { kind: "error", transactionId, message: error.message };
  }
}

function handle(
  request: Exclude<UdpTrackerRequest, { kind: "connect" }>,
  visit: Visit,
  desk: FrontDesk,
): UdpTrackerReply {
  const { transactionId } = request;
  if (request.kind === "announce") {
    const announce = desk.announce(visit, request.announce);
    return { kind: "announce", transactionId, announce };
  }
  const entries = desk.scrape(visit, request.infoHashes);
  return { kind: "scrape", transactionId, entries };
}
