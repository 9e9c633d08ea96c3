/**
 * Peer exchange (BEP 11): peers tell each other whom they are connected to, so that a swarm finds together with a tracker
 * that is slow or gone. Each is told once a minute at most who has come and gone since. Never for private torrents (BEP 27).
 */
import { ProtocolError } from "../../../core/errors.ts";
import { reachOf } from "../contacts/address_reach.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import {
  decodePex,
  encodePex,
  MAX_PEX_CONTACTS,
  type PexContact,
} from "../../wire/ut_pex.ts";

/** BEP 11: no more than one message a minute. */
const INTERVAL_MS = 60_000;
/** Messages a peer may say beyond one a minute: clocks and clients differ. */
const SPARE_MESSAGES = 10;

/** What was said and heard on one connection. */
interface Exchange {
  readonly openedAtMs: number;
  nextAtMs: number;
  /** Whom the peer believes us connected to. */
  readonly told: Map<string, PeerEndpoint>;
  heard: number;
}

/** The peer exchange of a swarm. */
export class PeerExchange {
  readonly #state: SwarmState;
  readonly #exchanges = new WeakMap<PeerSession, Exchange>();

  /** Creates an exchange nobody takes part in yet. */
  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** Once a second: tells those who want to know and were not told for a minute. */
  tick(): void {
    if (this.#state.options.private) return;
    const contacts = new Map<string, { of: PeerSession; to: PexContact }>();
    for (const session of this.#state.open()) {
      const to = contactOf(session);
      if (to !== null) {
        contacts.set(`${to.host} ${to.port}`, { of: session, to });
      }
    }
    for (const session of this.#state.open()) this.#tell(session, contacts);
  }

  /** A peer tells of others; returns those worth a connection, and those that are gone. @throws {ProtocolError} `pex-flood`, and those of {@linkcode decodePex}. */
  heard(
    session: PeerSession,
    payload: Uint8Array,
  ): {
    readonly added: readonly PexContact[];
    readonly dropped: readonly PeerEndpoint[];
  } {
    const exchange = this.#exchangeOf(session);
    const { nowMs, options } = this.#state;
    exchange.heard += 1;
    const minutes = (nowMs - exchange.openedAtMs) / INTERVAL_MS;
    if (exchange.heard > SPARE_MESSAGES + 2 * minutes) {
      throw new ProtocolError(
        "pex-flood",
        "Cannot take peer exchange: at most one message a minute",
      );
    }
    if (options.private) return { added: [], dropped: [] };
    const { added, dropped } = decodePex(payload);
    const reach = reachOf(session.remote.host);
    const hosts = new Set<string>();
    return {
      added: added.filter(({ host }) => {
        // A peer far away must not send us to machines near us; many ports of one host are one attack (BEP 11).
        const near = reachOf(host);
        if (
          near === "nowhere" || REACHES.indexOf(near) < REACHES.indexOf(reach)
        ) {
          return false;
        }
        if (near !== "machine" && hosts.has(host)) return false;
        hosts.add(host);
        return true;
      }),
      dropped,
    };
  }

  #tell(
    session: PeerSession,
    contacts: ReadonlyMap<string, { of: PeerSession; to: PexContact }>,
  ): void {
    const id = session.extended?.extensions.ut_pex ?? 0;
    if (id === 0) return;
    const exchange = this.#exchangeOf(session);
    const { nowMs, dirty } = this.#state;
    if (nowMs < exchange.nextAtMs) return;
    const added: PexContact[] = [];
    const dropped: PeerEndpoint[] = [];
    for (const [key, to] of exchange.told) {
      if (dropped.length >= MAX_PEX_CONTACTS) break;
      if (contacts.has(key)) continue;
      dropped.push(to);
      exchange.told.delete(key);
    }
    for (const [key, { of, to }] of contacts) {
      if (added.length >= MAX_PEX_CONTACTS) break;
      if (of === session || exchange.told.has(key)) continue;
      added.push(to);
      exchange.told.set(key, to);
    }
    if (added.length === 0 && dropped.length === 0) return;
    exchange.nextAtMs = nowMs + INTERVAL_MS;
    const payload = encodePex({ added, dropped });
    session.say({ kind: "extended", id, payload });
    dirty.add(session);
  }

  #exchangeOf(session: PeerSession): Exchange {
    let exchange = this.#exchanges.get(session);
    if (exchange === undefined) {
      const { nowMs } = this.#state;
      exchange = {
        openedAtMs: nowMs,
        nextAtMs: nowMs,
        told: new Map(),
        heard: 0,
      };
      this.#exchanges.set(session, exchange);
    }
    return exchange;
  }
}

/** From near to far. */
const REACHES = ["machine", "site", "world"];

/** A peer as others are told of it; null if nobody can connect to it. */
function contactOf(session: PeerSession): PexContact | null {
  const { endpoint, incoming } = session;
  if (endpoint === null) return null;
  const seed = session.pieces.complete || session.uploadOnly;
  return { ...endpoint, seed, reachable: !incoming };
}
