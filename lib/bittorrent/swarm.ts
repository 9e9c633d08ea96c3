/**
 * A peer's side of a swarm: every connection, what is asked of whom, who is served, all timers; no socket, no disk.
 *
 * The parts share one {@linkcode SwarmState}: `swarm_download` (what we ask for), `swarm_upload` (what we serve),
 * `swarm_choke` (whom we serve), `spread` (what a first seed shows), `contacts` (whom we connect to). This file takes the
 * inputs apart, speaks the handshake and keeps connections in bounds.
 *
 *     connect/accepted --> handshake --> open: bitfield, have, interested, choke, request, piece ... --> closed
 */
import { equalBytes, toHex } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";
import type { Machine } from "../core/machine.ts";
import { Bitfield } from "./bitfield.ts";
import { Contacts } from "./contacts.ts";
import { PeerSession } from "./peer_session.ts";
import { Spread } from "./spread.ts";
import { Choking } from "./swarm_choke.ts";
import { Downloads } from "./swarm_download.ts";
import { SwarmState } from "./swarm_state.ts";
import { silenceOf } from "./swarm_timeouts.ts";
import { statusOf, Totals } from "./swarm_totals.ts";
import type {
  PeerEndpoint,
  PeerTotals,
  SwarmInput,
  SwarmOptions,
  SwarmOutput,
  SwarmStatus,
} from "./swarm_types.ts";
import { Uploads } from "./swarm_upload.ts";
import { encodeHandshake, type WireMessage } from "./wire.ts";

/** Housekeeping: timeouts, keep-alives, new connections. */
const TICK_MS = 1_000;
/** Accepted connections without a handshake; the oldest makes room, so that silent ones cannot keep peers out. */
const MAX_HALF_OPEN = 32;

/** The machine. See the head of this file, {@linkcode SwarmInput} and {@linkcode SwarmOutput}. */
export class Swarm implements Machine<SwarmInput, SwarmOutput> {
  readonly #state: SwarmState;
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #choking: Choking;
  readonly #spread: Spread;
  readonly #contacts = new Contacts();
  readonly #totals = new Totals();
  #nextTickMs: number;
  #lastLink = 0;
  #stopped = false;

  /** Creates a swarm without peers. */
  constructor(options: SwarmOptions, nowMs: number) {
    this.#state = new SwarmState(options, nowMs);
    this.#uploads = new Uploads(this.#state);
    this.#downloads = new Downloads(
      this.#state,
      (session, reason) => this.#close(session, reason, "never"),
    );
    this.#spread = new Spread(this.#state);
    this.#choking = new Choking(
      this.#state,
      (session) => this.#spread.reveal(session),
      nowMs,
    );
    this.#nextTickMs = nowMs + TICK_MS;
  }

  /** The next tick, choke round, or block that a limit holds back. */
  get deadlineMs(): number {
    if (this.#stopped) return Infinity;
    return Math.min(
      this.#nextTickMs,
      this.#choking.deadlineMs,
      this.#uploads.deadlineMs,
      this.#downloads.deadlineMs,
    );
  }

  /** Totals so far. */
  get status(): SwarmStatus {
    return statusOf(this.#state);
  }

  /** Payload rates over the last `seconds`. */
  rates(
    nowMs: number,
    seconds: number,
  ): { readonly down: number; readonly up: number } {
    return {
      down: this.#state.downMeter.rate(nowMs, seconds),
      up: this.#state.upMeter.rate(nowMs, seconds),
    };
  }

  /** Totals of every peer there was, those who gave us most first. */
  peerTotals(): PeerTotals[] {
    return this.#totals.list(this.#state.open());
  }

  /** Takes one input. Inputs about a link that is closed already are nothing. */
  handle(input: SwarmInput, nowMs: number): SwarmOutput[] {
    const state = this.#state;
    state.nowMs = nowMs;
    state.out = [];
    this.#take(input);
    if (input.kind !== "received") this.#downloads.resume();
    this.#uploads.flush();
    return state.out;
  }

  #take(input: SwarmInput): void {
    switch (input.kind) {
      case "start":
      case "timeout":
        return this.#tick(input.kind === "start");
      case "peers-found":
        this.#contacts.add(input.peers, input.source, this.#state.nowMs);
        return this.#connect();
      case "accepted":
        return this.#accept(input.link, input.remote);
      case "verified":
        return this.#downloads.verified(input.pieceIndex, input.valid);
      case "stored":
        this.#downloads.stored(input.pieceIndex);
        return this.#leaveSeeds();
      case "piece-read":
        return this.#uploads.pieceRead(input.pieceIndex, input.bytes);
      case "stop":
        this.#stopped = true;
        for (const session of [...this.#state.sessions.values()]) {
          this.#close(session, "we are leaving", "never");
        }
        return;
    }
    const session = this.#state.sessions.get(input.link);
    if (session === undefined) return;
    switch (input.kind) {
      case "connected":
        session.stage = "handshake";
        return this.#greet(session);
      case "closed":
        return this.#forget(session, input.reason, "soon");
      case "sent":
        session.sending = false;
        if (session.hasControl || session.uploads.length > 0) {
          this.#state.dirty.add(session);
        }
        return;
      case "received":
        return this.#received(session, input.bytes);
    }
  }

  #tick(start: boolean): void {
    const { nowMs } = this.#state;
    this.#choking.tick();
    if (nowMs < this.#nextTickMs && !start) return;
    this.#nextTickMs = nowMs + TICK_MS;
    for (const session of [...this.#state.sessions.values()]) {
      const due = silenceOf(session, nowMs);
      if (due === "keep-alive") {
        session.say({ kind: "keep-alive" });
        this.#state.dirty.add(session);
      } else if (due !== null) this.#close(session, due.close, "soon");
    }
    this.#downloads.tick();
    this.#spread.tick();
    this.#connect();
  }

  #connect(): void {
    if (this.#stopped) return;
    const { options, sessions, nowMs } = this.#state;
    const room = options.maxConnections - sessions.size;
    const due = this.#contacts.due(nowMs, room, () => ++this.#lastLink);
    for (const { link, to } of due) {
      this.#join(link, to, false);
      this.#state.out.push({ kind: "connect", link, to });
    }
  }

  #accept(link: number, remote: PeerEndpoint): void {
    const { options, sessions, out } = this.#state;
    const halfOpen = [...sessions.values()].filter((session) =>
      session.incoming && session.stage === "handshake"
    );
    if (halfOpen.length >= MAX_HALF_OPEN) {
      this.#close(halfOpen[0]!, "too many without a handshake", "never");
    }
    if (sessions.size >= options.maxConnections || this.#stopped) {
      out.push({ kind: "close", link });
      return;
    }
    this.#join(link, remote, true);
  }

  #join(link: number, remote: PeerEndpoint, incoming: boolean): void {
    const { sessions, have, nowMs } = this.#state;
    const pieceCount = have.length;
    sessions.set(
      link,
      new PeerSession({ link, remote, incoming, pieceCount, nowMs }),
    );
  }

  /** Says who we are; whoever connects speaks first. */
  #greet(session: PeerSession): void {
    const { infoHash, peerId } = this.#state.options;
    session.sayBytes(encodeHandshake({ infoHash, peerId }));
    this.#state.dirty.add(session);
  }

  #received(session: PeerSession, bytes: Uint8Array): void {
    session.lastReceivedAtMs = this.#state.nowMs;
    const { board } = this.#state;
    const wasEndgame = board.endgame;
    try {
      const messages = session.decoder.push(bytes);
      if (session.stage === "handshake" && session.decoder.handshake !== null) {
        this.#shakeHands(session);
      }
      for (const message of messages) {
        if (session.stage !== "open" || !this.#holds(session)) return;
        this.#message(session, message);
      }
      this.#downloads.fill(session);
      if (board.endgame && !wasEndgame) this.#downloads.fillAll();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#state.emit({
        type: "protocol.violated",
        remote: session.address,
        code: error.code,
        message: error.message,
      });
      this.#close(session, error.code, "never");
    }
  }

  #holds(session: PeerSession): boolean {
    return this.#state.sessions.get(session.link) === session;
  }

  /** Checks the other side's handshake, answers it, and says what we have. */
  #shakeHands(session: PeerSession): void {
    const state = this.#state;
    const { infoHash, peerId } = session.decoder.handshake!;
    const ours = state.options.peerId;
    if (!equalBytes(infoHash, state.options.infoHash)) {
      throw new ProtocolError(
        "handshake-other-torrent",
        "Cannot join: the peer is about another torrent",
      );
    }
    if (equalBytes(peerId, ours)) {
      return this.#close(session, "it is ourselves", "never");
    }
    session.identify(peerId);
    if (this.#downloads.banned(session)) {
      return this.#close(session, "banned", "never");
    }
    if (!this.#settleDouble(session)) return;
    if (session.incoming) this.#greet(session);
    session.stage = "open";
    state.everConnected = true;
    this.#contacts.succeeded(session.link);
    state.emit({
      type: "peer.connected",
      remote: session.address,
      peerId: session.peerId,
      client: session.client,
      incoming: session.incoming,
    });
    if (!this.#spread.active && state.have.count > 0) {
      session.say({ kind: "bitfield", bytes: state.have.toBytes() });
    }
    this.#spread.reveal(session);
  }

  /** Two peers that connect to each other at once keep the connection of the one with the larger id: both decide the same. Returns whether `session` stays. */
  #settleDouble(session: PeerSession): boolean {
    for (const other of this.#state.open()) {
      if (other.peerId !== session.peerId) continue;
      const ours = toHex(this.#state.options.peerId);
      const keepOutgoing = ours > session.peerId;
      const keepNew = other.incoming !== session.incoming &&
        session.incoming !== keepOutgoing;
      this.#close(keepNew ? other : session, "connected twice", "later");
      return keepNew;
    }
    return true;
  }

  #message(session: PeerSession, message: WireMessage): void {
    switch (message.kind) {
      case "choke":
        session.peerChoking = true;
        return this.#downloads.choked(session);
      case "unchoke":
        session.peerChoking = false;
        return;
      case "interested":
      case "not-interested":
        session.peerInterested = message.kind === "interested";
        return this.#choking.fillFreeSlots();
      case "have":
        return this.#have(session, message.pieceIndex);
      case "bitfield":
        return this.#bitfield(session, message.bytes);
      case "request":
        return this.#uploads.requested(session, message);
      case "piece":
        return this.#downloads.received(session, message);
      case "cancel":
        return this.#uploads.cancelled(session, message);
      case "keep-alive":
      case "port": // Of a DHT node (BEP 5): we have none.
      case "unknown":
    }
  }

  #have(session: PeerSession, pieceIndex: number): void {
    if (pieceIndex >= this.#state.have.length) {
      throw new ProtocolError(
        "have-out-of-range",
        `Cannot note piece: must be 0 to ${
          this.#state.have.length - 1
        }, got ${pieceIndex}`,
      );
    }
    if (!session.pieces.add(pieceIndex)) return;
    this.#downloads.seen(session, pieceIndex);
    this.#spread.seen(session, pieceIndex);
    if (session.pieces.complete) this.#leaveSeeds();
  }

  /** BEP 3 has it come first and once; aria2 1.36 sends it twice when it connects, so a later one may add pieces. */
  #bitfield(session: PeerSession, bytes: Uint8Array): void {
    const field = Bitfield.fromBytes(bytes, this.#state.have.length);
    for (let index = 0; index < field.length; index++) {
      if (!field.has(index) || !session.pieces.add(index)) continue;
      this.#downloads.seen(session, index);
      this.#spread.seen(session, index);
    }
    if (session.pieces.complete) this.#leaveSeeds();
  }

  /** Two that have everything have nothing to say to each other. */
  #leaveSeeds(): void {
    if (!this.#state.have.complete) return;
    for (const session of [...this.#state.open()]) {
      if (session.pieces.complete) {
        this.#close(session, "both have everything", "never");
      }
    }
  }

  #close(
    session: PeerSession,
    reason: string,
    again: "soon" | "later" | "never",
  ): void {
    this.#state.out.push({ kind: "close", link: session.link });
    this.#forget(session, reason, again);
  }

  #forget(
    session: PeerSession,
    reason: string,
    again: "soon" | "later" | "never",
  ): void {
    const state = this.#state;
    if (!state.sessions.delete(session.link)) return;
    state.dirty.delete(session);
    this.#contacts.closed(session.link, again, state.nowMs);
    if (session.stage !== "open") return;
    this.#totals.add(session);
    this.#downloads.left(session);
    this.#spread.left(session);
    state.emit({
      type: "peer.disconnected",
      remote: session.address,
      peerId: session.peerId,
      reason,
      downloadedBytes: session.downloadedBytes,
      uploadedBytes: session.uploadedBytes,
    });
    if (this.#stopped) return;
    this.#choking.fillFreeSlots();
    this.#downloads.fillAll();
    this.#connect();
  }
}
