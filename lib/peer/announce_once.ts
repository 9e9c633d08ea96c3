import { anyAddressOf, familyOf } from "../core/address.ts";
import { viewOf } from "../core/bytes.ts";
import { ProtocolError, RunError } from "../core/errors.ts";
import {
  announceUrlOf,
  decodeAnnounceReply,
  MAX_REPLY_BYTES,
} from "../bittorrent/tracker/http/client.ts";
import type {
  AnnounceReply,
  AnnounceRequest,
} from "../bittorrent/tracker/messages.ts";
import {
  UdpTrackerClient,
  type UdpTrackerInput,
  type UdpTrackerOutput,
} from "../bittorrent/tracker/udp/client.ts";
import { drive } from "../io/drive.ts";
import { fetchFollowing } from "../io/fetch_following.ts";
import { LinkedAbort } from "../io/linked_abort.ts";
import type { Address, UdpSocket } from "../io/net.ts";
import { readBody } from "../io/read_body.ts";
import type { RoleContext } from "../role.ts";

/** Datagrams sent to a UDP tracker before the announce counts as failed (after 15 and 30 s, BEP 15); the announcer then tries the next tracker, or again later. */
const UDP_ATTEMPTS = 2;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 4;
/** Longest wait for the end of an HTTP tracker's answer, once it has begun. */
const HTTP_BODY_MS = 10_000;

/**
 * Tells one tracker once.
 *
 * @throws {RunError} or {ProtocolError} If the tracker cannot be reached, refuses, or answers nonsense.
 */
export async function announceOnce(
  url: string,
  request: AnnounceRequest,
  options: {
    readonly ctx: RoleContext;
    readonly signal: AbortSignal;
  },
): Promise<AnnounceReply> {
  const { protocol } = parsed(url);
  if (protocol === "udp:") return await announceUdp(url, request, options);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new RunError(
      "tracker-scheme",
      `Cannot announce to ${url}: only http, https and udp trackers are spoken to`,
    );
  }
  const { ctx, signal } = options;
  const key = keyOf(request).toString(16);
  // The fetch keeps its listener for as long as the signal lives, and the peer's lives as long as the peer.
  using own = new LinkedAbort(signal);
  const target = announceUrlOf(url, { ...request, key });
  const response = await fetchFollowing(
    ctx.net,
    target,
    // Trackers close connections without a word: an announce right behind another would be lost with the one it came by.
    { headers: { connection: "close" }, signal: own.signal },
  ).catch((cause) => {
    if (!(cause instanceof RunError)) throw cause;
    // The query says nothing to people, and is three lines long.
    const message = cause.message.replace(target, () => url);
    throw new RunError(cause.code, message, { cause });
  });
  const body = await readBody(response.body, {
    what: `the answer of ${url}`,
    clock: ctx.clock,
    maxBytes: MAX_REPLY_BYTES,
    limitMs: HTTP_BODY_MS,
    signal,
  });
  if (!response.ok && body[0] !== 0x64) {
    throw new RunError(
      "tracker-status",
      `Cannot announce to ${url}: it answered ${response.status}`,
    );
  }
  return decodeAnnounceReply(body);
}

/** Whether {@linkcode announceOnce} speaks to trackers of that URL: others, WebSocket trackers among them, are asked in vain. */
export function isSpoken(url: string): boolean {
  return URL.canParse(url) &&
    ["http:", "https:", "udp:"].includes(new URL(url).protocol);
}

/** The same for all announces of a peer. */
function keyOf({ peerId }: AnnounceRequest): number {
  return viewOf(peerId).getUint32(16);
}

function parsed(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new RunError("tracker-scheme", `Cannot announce: no URL, "${url}"`);
  }
}

/** Asks the name's addresses one after the other, until one answers: a host may serve one family only. */
async function announceUdp(
  url: string,
  request: AnnounceRequest,
  about: { readonly ctx: RoleContext; readonly signal: AbortSignal },
): Promise<AnnounceReply> {
  const { hostname, port } = parsed(url);
  const name = hostname.replace(/^\[|\]$/g, "");
  const { signal } = about;
  const hosts = await about.ctx.net.resolve(name, { signal });
  let failure: unknown = new RunError(
    "tracker-no-answer",
    `Cannot announce to ${url}: ${name} has no address`,
  );
  for (const host of hosts.slice(0, MAX_ADDRESSES)) {
    const to = { host, port: Number(port || "80") };
    try {
      return await announceUdpTo(to, request, { url, ...about });
    } catch (error) {
      if (signal.aborted || !isUnreachable(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Whether nobody answered, as opposed to a tracker that refuses. */
function isUnreachable(error: unknown): boolean {
  return error instanceof RunError ||
    error instanceof ProtocolError && error.code === "tracker-no-answer";
}

async function announceUdpTo(
  to: Address,
  request: AnnounceRequest,
  { url, ctx, signal }: {
    readonly url: string;
    readonly ctx: RoleContext;
    readonly signal: AbortSignal;
  },
): Promise<AnnounceReply> {
  const { pathname, search } = parsed(url);
  const family = familyOf(to.host);
  await using socket = ctx.net.listenUdp({
    host: anyAddressOf(family),
    port: 0,
  });
  const client = new UdpTrackerClient({
    rng: ctx.rng,
    family,
    maxAttempts: UDP_ATTEMPTS,
    key: keyOf(request),
    urlData: pathname + search,
  });
  using done = new LinkedAbort(signal);
  let end: Extract<UdpTrackerOutput, { kind: "announced" | "failed" }> | null =
    null;
  await drive(
    client,
    inputsOf(socket, request, { from: to, signal: done.signal }),
    async (output) => {
      if (output.kind === "send") await socket.send(output.bytes, to);
      else if (output.kind !== "scraped") {
        end = output;
        done.abort();
      }
    },
    { clock: ctx.clock, signal: done.signal },
  );
  signal.throwIfAborted();
  return replyOf(end, url);
}

function replyOf(
  end: Extract<UdpTrackerOutput, { kind: "announced" | "failed" }> | null,
  url: string,
): AnnounceReply {
  if (end?.kind === "announced") return end.reply;
  throw end?.error ??
    new RunError("tracker-no-answer", `Cannot announce to ${url}: no answer`);
}

/** The request, then what the tracker sends; what others send to our port is dropped. */
async function* inputsOf(
  socket: UdpSocket,
  request: AnnounceRequest,
  { from, signal }: {
    readonly from: { readonly host: string; readonly port: number };
    readonly signal: AbortSignal;
  },
): AsyncGenerator<UdpTrackerInput> {
  yield { kind: "announce", request };
  for await (const { bytes, host, port } of socket.receive(signal)) {
    if (host === from.host && port === from.port) {
      yield { kind: "datagram", bytes };
    }
  }
}
