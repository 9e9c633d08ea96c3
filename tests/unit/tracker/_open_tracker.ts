/** A tracker without sockets, and what is asked of it. */
import { assert, assertEquals } from "@std/assert";
import { ConnectionIds } from "../../../lib/bittorrent/tracker/udp/connection_ids.ts";
import { announceUrlOf } from "../../../lib/bittorrent/tracker/http/client.ts";
import type { AnnounceRequest } from "../../../lib/bittorrent/tracker/messages.ts";
import { SwarmTable } from "../../../lib/bittorrent/tracker/table/swarm_table.ts";
import type { UdpTrackerReply } from "../../../lib/bittorrent/tracker/udp/messages.ts";
import { decodeUdpReply } from "../../../lib/bittorrent/tracker/udp/replies.ts";
import { encodeUdpRequest } from "../../../lib/bittorrent/tracker/udp/requests.ts";
import {
  familyOf,
  parseAddress,
  unmapAddress,
} from "../../../lib/core/address.ts";
import { fromUtf8, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import { MAX_ANSWER_BYTES } from "../../../lib/io/net.ts";
import { FrontDesk } from "../../../roles/tracker/front_desk.ts";
import { httpDoor } from "../../../roles/tracker/http_door.ts";
import { TrackerLog } from "../../../roles/tracker/tracker_log.ts";
import { answerDatagram } from "../../../roles/tracker/udp_door.ts";
import { announceOf } from "../../support/announce.ts";
import { bytesOf, requestOf } from "../../support/http_exchange.ts";
import { ManualClock } from "../../support/manual_clock.ts";

export const HASH = Uint8Array.from({ length: 20 }, (_, at) => 250 - at * 7);

/** What a leech announces of that torrent. */
export function request(
  change: Partial<AnnounceRequest> = {},
): AnnounceRequest {
  return announceOf({ infoHash: HASH, ...change });
}

/** A tracker without sockets. */
export function openTracker(allowed: ReadonlySet<string> | null = null) {
  const clock = new ManualClock();
  const events: RolecallEvent[] = [];
  const log = new TrackerLog({
    clock,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
  });
  const table = new SwarmTable({
    rng: seededRng(1),
    expiryMs: 240_000,
    maxPeers: 50,
    allowed,
  });
  const desk = new FrontDesk({
    ...{ table, intervalSeconds: 120, trackerId: "cafe0123", log, clock },
  });
  const ids = new ConnectionIds(utf8("0123456789abcdef"));
  const names = new Map([[toHex(HASH), "<b>Movie & more</b>"]]);
  const serve = httpDoor(desk, { names: () => names, udpPort: () => 6970 });
  return {
    clock,
    events,
    table,
    get: (target: string, host = "10.0.0.1") =>
      serve(requestOf(target, {
        authority: "10.0.0.9:6969",
        remote: { host, port: 50_000 },
      })),
    udp: (bytes: Uint8Array, host: string): UdpTrackerReply | null => {
      const datagram = {
        bytes,
        address: unmapAddress(parseAddress(host)),
        port: 50_000,
      };
      const reply = new Uint8Array(MAX_ANSWER_BYTES);
      const length = answerDatagram(datagram, reply, { desk, ids });
      const family = familyOf(host);
      return length === 0
        ? null
        : decodeUdpReply(reply.subarray(0, length), family);
    },
  };
}

export type OpenTracker = ReturnType<typeof openTracker>;

type Answer = HttpResponse | Promise<HttpResponse>;

export async function bodyOf(answer: Answer): Promise<Uint8Array> {
  return await bytesOf((await answer).body);
}

export async function textOf(answer: Answer): Promise<string> {
  return fromUtf8(await bodyOf(answer));
}

export function targetOf(announce: AnnounceRequest): string {
  return announceUrlOf("/announce", announce);
}

export function connect(tracker: OpenTracker, host: string): bigint {
  const reply = tracker.udp(
    encodeUdpRequest({ kind: "connect", transactionId: 1 }),
    host,
  );
  assert(reply?.kind === "connect");
  assertEquals(reply.transactionId, 1);
  return reply.connectionId;
}
