/**
 * Connections of a swarm: whom we connect to, the handshake, and how a connection ends.
 *
 *     connect/accepted --> handshake --> open: messages flow --> closed
 */
import { equalBytes } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import { admission, rankOf } from "./admission.ts";
import {
  type Again,
  Contacts,
  type ContactSource,
} from "../contacts/contacts.ts";
import { keepsNewer } from "./double_connection.ts";
import {
  commonFeatures,
  decodeFeatures,
  encodeFeatures,
  encodeHandshake,
  type Handshake,
} from "../../wire/handshake.ts";
import { PeerSession } from "../state/peer_session.ts";
import type { Handover } from "./handover.ts";
import type { SwarmState } from "../state/state.ts";
import { silenceOf, silentFromMs } from "./timeouts.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import type { WireMessage } from "../../wire/messages.ts";

/** Connections being made at once. */
const MAX_CONNECTING = 16;

/** What the rest of the swarm has to do with connections. */
export interface ConnectionHooks {
  /** Whether a peer that has said who it is may stay. */
  readonly admits: (session: PeerSession) => boolean;
  /** The handshakes are exchanged; `session` can be spoken to. */
  readonly opened: (session: PeerSession) => void;
  /** An open session is over and no longer among the state's. */
  readonly left: (session: PeerSession) => void;
}

/** Whom messages are for. */
export interface MessageTaker {
  /** Takes one. @throws {ProtocolError} If it may not be said. */
  take(session: PeerSession, message: WireMessage): void;
}

/** See the head of this file. */
export class Connections {
  readonly #state: SwarmState;
  readonly #hooks: ConnectionHooks;
  #contacts: Contacts;
  #lastLink: number;
  #stopped = false;
  /** No session's silence calls for anything before this. */
  #silentFromMs = 0;

  /** Creates the connections of a swarm: none. */
  constructor(state: SwarmState, hooks: ConnectionHooks) {
    this.#state = state;
    this.#hooks = hooks;
    this.#contacts = new Contacts();
    this.#lastLink = 0;
  }

  /** Gives away the contacts: nothing is connected to any more. */
  handOver(): Pick<Handover, "contacts" | "lastLink"> {
    this.#stopped = true;
    return { contacts: this.#contacts, lastLink: this.#lastLink };
  }

  /** Takes over the contacts and connections of another machine; returns the sessions, of which those that are open are to be told what we have. */
  takeOver(handover: Handover): PeerSession[] {
    const { sessions, have, nowMs, everConnected } = this.#state;
    this.#contacts = handover.contacts;
    this.#lastLink = handover.lastLink;
    return handover.sessions.map(({ session: old }) => {
      const session = PeerSession.continued(old, {
        pieceCount: have.length,
        nowMs,
      });
      // Before the metadata nobody could know that the one name there is was that of v2.
      const { v2 } = this.#state.options;
      session.v2 = v2 !== undefined &&
        session.infoHash !== null && equalBytes(session.infoHash, v2.infoHash);
      sessions.set(session.link, session);
      this.#state.openChanged();
      this.#state.everConnected = everConnected || session.stage === "open";
      return session;
    });
  }

  /** Everything is closed and stays so. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes note of peers, and connects to those there is room for. */
  found(peers: readonly PeerEndpoint[], source: ContactSource): void {
    this.#contacts.add(peers, source, this.#state.nowMs);
    this.connect();
  }

  /** Connects to as many peers as are due and there is room for. */
  connect(): void {
    const { options, sessions, nowMs } = this.#state;
    if (this.#stopped || !this.#contacts.anyDue(nowMs)) return;
    let connecting = 0;
    for (const { stage } of sessions.values()) {
      if (stage === "connecting") connecting += 1;
    }
    const room = Math.min(
      options.maxConnections - sessions.size,
      MAX_CONNECTING - connecting,
    );
    const due = this.#contacts.due({
      nowMs,
      room,
      newLink: () => ++this.#lastLink,
      rank: (to) => rankOf(this.#state, to),
      taken: () =>
        [...sessions.values()].flatMap(({ endpoint, incoming }) =>
          incoming && endpoint !== null ? [endpoint] : []
        ),
    });
    for (const { link, to } of due) {
      this.#join(link, to, { incoming: false });
      this.#state.put({ kind: "connect", link, to });
    }
  }

  /** Peers are gone, as another peer says. */
  lost(peers: readonly PeerEndpoint[]): void {
    this.#contacts.lost(peers);
  }

  /** Someone connected to us. */
  accept(link: number, remote: PeerEndpoint): void {
    const { ends, admitted } = admission(this.#state, remote);
    for (const { session, reason, again } of ends) {
      this.close(session, reason, again);
    }
    if (this.#stopped || !admitted) {
      this.#state.put({ kind: "close", link });
      return;
    }
    this.#join(link, remote, { incoming: true });
  }

  /** A web seed works (BEP 19): it is one more peer, beside those there is room for. */
  adopt(link: number, remote: PeerEndpoint, webSeed: string): void {
    if (this.#stopped) {
      this.#state.put({ kind: "close", link });
      return;
    }
    this.connected(this.#join(link, remote, { incoming: false, webSeed }));
  }

  /** A connection we made is there: whoever connects speaks first. */
  connected(session: PeerSession): void {
    session.stage = "handshake";
    this.#greet(session);
    // Those who fail are replaced once a second only: what a tracker named may be addresses of someone who is no peer.
    this.connect();
  }

  /** Once a second: keep-alives, and the end of those that are silent. */
  tick(): void {
    const { sessions, dirty, nowMs } = this.#state;
    if (nowMs < this.#silentFromMs) return;
    this.#silentFromMs = Infinity;
    for (const session of sessions.values()) {
      const due = silenceOf(session, nowMs);
      if (due === "keep-alive") {
        session.say({ kind: "keep-alive" });
        dirty.add(session);
      } else if (due !== null) this.close(session, due.close, "soon");
      if (!session.gone) this.#mind(session);
    }
  }

  /**
   * Checks the other side's handshake, answers it, and opens the session.
   *
   * @throws {ProtocolError} `handshake-other-torrent`.
   */
  shakeHands(session: PeerSession, handshake: Handshake): void {
    const state = this.#state;
    const { peerId, reserved } = handshake;
    const infoHash = session.infoHash = this.#ourName(handshake.infoHash);
    if (infoHash === null) {
      throw new ProtocolError(
        "handshake-other-torrent",
        "Cannot join: the peer is about another torrent",
      );
    }
    if (equalBytes(peerId, state.options.peerId)) {
      return this.close(session, "it is ourselves", "never");
    }
    session.identify(peerId);
    if (!this.#hooks.admits(session)) {
      return this.close(session, "banned", "never");
    }
    if (!this.#settleDouble(session)) return;
    session.features = commonFeatures(
      state.features,
      decodeFeatures(reserved),
    );
    const { v2 } = state.options;
    // A hybrid's peer that came by its v1 name and knows v2 is answered by the other name (BEP 52, "upgrade path").
    session.v2 = v2 !== undefined &&
      (equalBytes(infoHash, v2.infoHash) ||
        (session.incoming && session.features.v2));
    if (session.incoming) this.#greet(session);
    session.stage = "open";
    state.openChanged();
    state.everConnected = true;
    this.#contacts.succeeded(session.link);
    state.emit({
      type: "peer.connected",
      remote: session.address,
      peerId: session.peerId,
      client: session.client,
      incoming: session.incoming,
      features: Object.entries(session.features)
        .flatMap(([name, both]) => both ? [name] : []).join(", "),
    });
    this.#hooks.opened(session);
  }

  /** Takes bytes of a peer, hands on each message, and ends the connection of one that breaks the protocol. */
  received(
    session: PeerSession,
    bytes: Uint8Array,
    taker: MessageTaker,
  ): void {
    // A whole number: others take a box of their own, in all there are as many as messages come.
    session.lastReceivedAtMs = Math.trunc(this.#state.nowMs);
    try {
      const messages = session.decoder.push(bytes);
      const handshake = session.stage === "handshake"
        ? session.decoder.takeHandshake()
        : null;
      if (handshake !== null) {
        this.#state.stirred = true;
        this.shakeHands(session, handshake);
      }
      session.patience.hear(messages, this.#state.nowMs);
      this.takeAll(session, messages, taker);
    } catch (error) {
      this.#violated(session, error);
    }
  }

  /** Hands on messages until the connection is over. */
  takeAll(
    session: PeerSession,
    messages: readonly WireMessage[],
    taker: MessageTaker,
  ): void {
    for (const message of messages) {
      if (session.stage !== "open" || session.gone) return;
      taker.take(session, message);
    }
  }

  /** Does something that may find the peer to break the protocol, which ends its connection. */
  guard(session: PeerSession, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#violated(session, error);
    }
  }

  #violated(session: PeerSession, error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#state.stirred = true;
    this.#state.emit({
      type: "protocol.violated",
      remote: session.address,
      code: error.code,
      message: error.message,
    });
    this.close(session, error.code, "never");
  }

  /** Ends a connection. */
  close(session: PeerSession, reason: string, again: Again): void {
    this.#state.put({ kind: "close", link: session.link });
    this.forget(session, reason, again);
  }

  /** A connection is over. */
  forget(session: PeerSession, reason: string, again: Again): void {
    const state = this.#state;
    if (!state.sessions.delete(session.link)) return;
    session.gone = true;
    state.openChanged();
    state.dirty.delete(session);
    this.#contacts.closed(session.link, again, state.nowMs);
    if (session.stage !== "open") return;
    state.emit({
      type: "peer.disconnected",
      remote: session.address,
      peerId: session.peerId,
      reason,
      downloadedBytes: session.downloadedBytes,
      uploadedBytes: session.uploadedBytes,
    });
    this.#hooks.left(session);
  }

  /** Ends every connection for good. */
  stop(): void {
    this.#stopped = true;
    for (const session of [...this.#state.sessions.values()]) {
      this.close(session, "we are leaving", "never");
    }
  }

  /** The name of ours that the peer used, of the two a hybrid has; null if it is about another torrent. */
  #ourName(named: Uint8Array): Uint8Array | null {
    const { infoHash, v2 } = this.#state.options;
    if (equalBytes(named, infoHash)) return infoHash;
    return v2 !== undefined && equalBytes(named, v2.infoHash)
      ? v2.infoHash
      : null;
  }

  #join(
    link: number,
    remote: PeerEndpoint,
    how: { readonly incoming: boolean; readonly webSeed?: string },
  ): PeerSession {
    const { sessions, have, nowMs, options } = this.#state;
    const limits = options.limitPeer?.(nowMs);
    const session = new PeerSession({
      ...{ link, remote, pieceCount: have.length, nowMs, ...how },
      ...(limits === undefined ? {} : { limits }),
    });
    sessions.set(link, session);
    this.#mind(session);
    return session;
  }

  /** Sees to it that a session's silence is noticed. */
  #mind(session: PeerSession): void {
    this.#silentFromMs = Math.min(this.#silentFromMs, silentFromMs(session));
  }

  /** Says who we are and what we can do. */
  #greet(session: PeerSession): void {
    const { peerId, v2 } = this.#state.options;
    const infoHash = session.v2 ? v2!.infoHash : this.#state.options.infoHash;
    const reserved = encodeFeatures(this.#state.features);
    session.sayBytes(encodeHandshake({ infoHash, peerId, reserved }));
    this.#state.dirty.add(session);
  }

  /** Of two connections to one peer one stays. Returns whether that is `session`. */
  #settleDouble(session: PeerSession): boolean {
    for (const other of this.#state.open()) {
      if (other.peerId !== session.peerId) continue;
      const keepNew = keepsNewer(this.#state.options.peerId, session, other);
      this.close(keepNew ? other : session, "connected twice", "later");
      return keepNew;
    }
    return true;
  }
}
