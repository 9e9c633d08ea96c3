/**
 * Local service discovery (BEP 14): "who on this LAN shares this torrent?", asked by multicast, without any server.
 *
 * An announce looks like a request of HTTP in one datagram. Nobody answers: whoever shares the torrent connects to the
 * asker. So a peer that comes later is found by those who are there, and finds those who announce after it.
 */
import { formatHostPort } from "../core/address.ts";
import { fromHex, fromUtf8, toHex, utf8 } from "../core/bytes.ts";
import { ProtocolError, unlessBroken } from "../core/errors.ts";
import type { Machine } from "../core/machine.ts";
import type { DhtEvent } from "../events/dht.ts";
import type { PeerEndpoint } from "./peer_endpoint.ts";

/** The groups of BEP 14. */
export const LSD_GROUPS = {
  ipv4: { host: "239.192.152.143", port: 6771 },
  ipv6: { host: "ff15::efc0:988f", port: 6771 },
} as const;

/** BEP 14: every 5 minutes, and never more than once a minute: who has found nobody yet does the latter. */
const ANNOUNCE_MS = 5 * 60_000;
const LONELY_MS = 60_000;
/** BEP 14: a datagram should not exceed this. */
const MAX_DATAGRAM_BYTES = 1400;
/** Info-hashes that fit such a datagram. */
const MAX_INFO_HASHES = 30;
/** Peers of one torrent that are told apart; more than anyone connects to. */
const MAX_HEARD = 2_000;

/** An announce on the wire. */
export interface LsdAnnounce {
  /** Where the peer listens, at the address the datagram came from. */
  readonly port: number;
  /** 20 bytes each. */
  readonly infoHashes: readonly Uint8Array[];
  /** Tells our own datagrams, which come back to us, from those of others; null if there is none. */
  readonly cookie: string | null;
}

/** Encodes an announce to one of the groups. */
export function encodeLsd(
  { port, infoHashes, cookie }: LsdAnnounce,
  group: keyof typeof LSD_GROUPS,
): Uint8Array<ArrayBuffer> {
  return utf8([
    "BT-SEARCH * HTTP/1.1",
    `Host: ${formatHostPort(LSD_GROUPS[group])}`,
    `Port: ${port}`,
    ...infoHashes.map((infoHash) => `Infohash: ${toHex(infoHash)}`),
    ...(cookie === null ? [] : [`cookie: ${cookie}`]),
    "",
    "",
    "",
  ].join("\r\n"));
}

/**
 * Decodes an announce. Header names may be in any case; headers we do not know are ignored, as BEP 14 asks.
 *
 * @throws {ProtocolError} `lsd-malformed` if it is none: too long, another method, no port, no info-hash.
 */
export function decodeLsd(bytes: Uint8Array): LsdAnnounce {
  if (bytes.length > MAX_DATAGRAM_BYTES) throw malformed("is too long");
  const [first, ...lines] = fromUtf8(bytes).split(/\r?\n/);
  if (!/^BT-SEARCH \* HTTP\/1\.[0-9]$/.test(first ?? "")) {
    throw malformed("must begin with BT-SEARCH * HTTP/1.1");
  }
  let port = 0;
  let cookie: string | null = null;
  const infoHashes: Uint8Array[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case "port":
        if (/^[0-9]{1,5}$/.test(value)) port = Number(value);
        break;
      case "infohash":
        if (/^[0-9a-f]{40}$/i.test(value)) infoHashes.push(fromHex(value));
        break;
      case "cookie":
        cookie = value;
    }
  }
  if (port < 1 || port > 65_535) throw malformed("needs a port");
  if (infoHashes.length === 0) throw malformed("needs an info-hash");
  return { port, infoHashes: infoHashes.slice(0, MAX_INFO_HASHES), cookie };
}

function malformed(rule: string): ProtocolError {
  return new ProtocolError(
    "lsd-malformed",
    `Cannot read LAN announce: ${rule}`,
  );
}

/** What {@linkcode LocalDiscovery} takes. */
export type LsdInput =
  | { readonly kind: "start" }
  | { readonly kind: "timeout" }
  | {
    readonly kind: "datagram";
    readonly bytes: Uint8Array;
    readonly from: PeerEndpoint;
  };

/** What {@linkcode LocalDiscovery} wants done. */
export type LsdOutput =
  | { readonly kind: "send"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "peer-found"; readonly peer: PeerEndpoint }
  | { readonly kind: "event"; readonly event: DhtEvent };

/** How to set up {@linkcode LocalDiscovery}. */
export interface LocalDiscoveryOptions {
  /** What the torrent is known by, 20 bytes each: a hybrid has two names (BEP 52). The first stands in events. */
  readonly infoHashes: readonly Uint8Array[];
  /** Where we listen for peers. */
  readonly port: number;
  /** Unlike anyone else's. */
  readonly cookie: string;
  readonly group: keyof typeof LSD_GROUPS;
}

/** Announces one torrent to one group, and hears others do so. See the head of this file. */
export class LocalDiscovery implements Machine<LsdInput, LsdOutput> {
  readonly #options: LocalDiscoveryOptions;
  readonly #heard = new Set<string>();
  #deadlineMs = -Infinity;

  /** Creates a machine that announces at its first input. */
  constructor(options: LocalDiscoveryOptions) {
    this.#options = options;
  }

  /** The next announce. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Whether anyone was heard. */
  get everHeard(): boolean {
    return this.#heard.size > 0;
  }

  /** Takes one input. What is no announce, or about other torrents, is nothing. */
  handle(input: LsdInput, nowMs: number): LsdOutput[] {
    if (input.kind === "datagram") {
      return this.#received(input.bytes, input.from);
    }
    if (nowMs < this.#deadlineMs) return [];
    const { infoHashes, port, cookie, group } = this.#options;
    const waitMs = this.everHeard ? ANNOUNCE_MS : LONELY_MS;
    this.#deadlineMs = nowMs + waitMs;
    return [
      {
        kind: "send",
        bytes: encodeLsd({ port, infoHashes, cookie }, group),
      },
      {
        kind: "event",
        event: {
          type: "lsd.announced",
          infoHash: toHex(infoHashes[0]!),
          group: formatHostPort(LSD_GROUPS[group]),
          nextMs: waitMs,
        },
      },
    ];
  }

  #received(bytes: Uint8Array, from: PeerEndpoint): LsdOutput[] {
    const announce = unlessBroken(() => decodeLsd(bytes));
    if (announce === undefined) return [];
    const { infoHashes, cookie } = this.#options;
    const ours = infoHashes.map(toHex);
    if (
      announce.cookie === cookie || !reachable(from.host) ||
      !announce.infoHashes.some((other) => ours.includes(toHex(other)))
    ) return [];
    const peer = { host: from.host, port: announce.port };
    const remote = formatHostPort(peer);
    // Known or not: it may have been given up meanwhile, and is back.
    const found: LsdOutput = { kind: "peer-found", peer };
    if (this.#heard.has(remote) || this.#heard.size >= MAX_HEARD) {
      return [found];
    }
    this.#heard.add(remote);
    return [
      {
        kind: "event",
        event: { type: "lsd.heard", infoHash: ours[0]!, remote },
      },
      found,
    ];
  }
}

/** A link-local IPv6 address means nothing without its interface, which a datagram's address leaves out. */
function reachable(host: string): boolean {
  return !/^fe[89ab]/i.test(host);
}
