/**
 * A peer's side of a swarm: every connection, what is asked of whom, who is served, all timers; no socket, no disk.
 *
 * The parts share one {@linkcode SwarmState} (`state/`, above what knows of no connection: `pieces/`, `contacts/`, the
 * `hashes/` of v2): `connections/` (who is connected), `extensions/` (BEP 10 and what is built on it), `download/` (what we
 * ask for), `upload/` (what we serve), `choking/` (whom we serve, and what a first seed shows). This file puts them
 * together and hands each input to the part it is for; `messages.ts` does so with what a peer says.
 */
import type { Machine } from "../../core/machine.ts";
import type { PeerSession } from "./state/peer_session.ts";
import { Spread } from "./choking/spread.ts";
import { Choking } from "./choking/choke.ts";
import { Connections } from "./connections/connections.ts";
import { Demand } from "./download/demand.ts";
import { Extensions } from "./extensions/extensions.ts";
import { Downloads } from "./download/download.ts";
import { Hashes } from "./extensions/hashes.ts";
import { Messages } from "./messages.ts";
import type { Handover } from "./connections/handover.ts";
import { SwarmState } from "./state/state.ts";
import {
  type PeerTotals,
  statusOf,
  type SwarmStatus,
  Totals,
} from "./totals.ts";
import type { SwarmOptions } from "./options.ts";
import type { SwarmInput, SwarmOutput } from "./in_out.ts";
import { Uploads } from "./upload/upload.ts";

/** Housekeeping: timeouts, keep-alives, new connections. */
const TICK_MS = 1_000;

/** The machine. See the head of this file, {@linkcode SwarmInput} and {@linkcode SwarmOutput}. */
export class Swarm implements Machine<SwarmInput, SwarmOutput> {
  readonly #state: SwarmState;
  readonly #connections: Connections;
  readonly #messages: Messages;
  readonly #extensions: Extensions;
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #demand: Demand;
  readonly #choking: Choking;
  readonly #spread: Spread;
  readonly #hashes: Hashes;
  readonly #totals = new Totals();
  #nextTickMs: number;
  #wasEndgame: boolean;
  /** Known as long as nothing has changed; else not a number. */
  #deadlineMs = NaN;
  /** Until the start. */
  #handover: Handover | null;

  /** Creates a swarm without peers, or with those that brought its metadata, which it takes over at the start. */
  constructor(
    options: SwarmOptions,
    nowMs: number,
    handover: Handover | null = null,
  ) {
    const state = this.#state = new SwarmState(options, nowMs);
    this.#connections = new Connections(state, {
      admits: (session) => !this.#downloads.banned(session),
      opened: (session) => this.#messages.greet(session),
      left: (session) => this.#left(session),
    });
    this.#extensions = new Extensions(state, this.#connections);
    this.#uploads = new Uploads(state);
    this.#downloads = new Downloads(
      state,
      (session, reason) => this.#connections.close(session, reason, "never"),
    );
    this.#demand = new Demand(state, this.#downloads);
    this.#spread = new Spread(state);
    this.#choking = new Choking(
      state,
      { spread: this.#spread, uploads: this.#uploads },
      nowMs,
    );
    this.#hashes = new Hashes(state, () => this.#downloads.fillAll());
    this.#messages = new Messages(state, {
      uploads: this.#uploads,
      downloads: this.#downloads,
      choking: this.#choking,
      spread: this.#spread,
      extensions: this.#extensions,
      hashes: this.#hashes,
      leaveSeeds: () => this.#leaveSeeds(),
    });
    this.#nextTickMs = nowMs + TICK_MS;
    this.#wasEndgame = state.board.endgame;
    this.#handover = handover;
  }

  /** The next tick, choke round, or block that a limit holds back. */
  get deadlineMs(): number {
    if (this.#connections.stopped) return Infinity;
    if (Number.isNaN(this.#deadlineMs)) {
      this.#deadlineMs = Math.min(
        this.#nextTickMs,
        this.#choking.deadlineMs,
        this.#uploads.deadlineMs,
        this.#downloads.deadlineMs,
      );
    }
    return this.#deadlineMs;
  }

  /** Totals so far. */
  get status(): SwarmStatus {
    return statusOf(this.#state);
  }

  /** Whether all of these pieces are at peers that serve us. */
  offers(pieces: Iterable<number>): boolean {
    return this.#demand.offered(pieces);
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
    state.begin(nowMs);
    if (input.kind === "sent" && this.#rests(input.link)) return state.out;
    this.#take(input);
    if (!state.stirred) return state.out;
    this.#deadlineMs = NaN;
    if (input.kind !== "received") this.#downloads.resume();
    if (input.kind !== "received" || !this.#uploads.still) {
      this.#uploads.flush();
    }
    if (this.#choking.useIdle()) this.#uploads.flush();
    return state.out;
  }

  /**
   * A send is done: about half of all inputs, and as a rule nobody waits for it, so that there is nothing to do. Returns
   * whether that is so.
   */
  #rests(link: number): boolean {
    const { sessions, dirty } = this.#state;
    const session = sessions.get(link);
    if (session === undefined) return false;
    this.#extensions.sent(session);
    const served = this.#uploads.sent(session);
    if (dirty.size > 0 || this.#downloads.throttled) return false;
    return served
      ? this.#uploads.idle && !this.#choking.anyoneWaits
      : this.#uploads.still;
  }

  #take(input: SwarmInput): void {
    switch (input.kind) {
      case "start":
        if (this.#handover !== null) this.#takeOver(this.#handover);
        this.#handover = null;
        return this.#tick(true);
      case "timeout":
        return this.#tick(false);
      case "peers-found":
        return this.#connections.found(input.peers, input.source);
      case "accepted":
        return input.webSeed === undefined
          ? this.#connections.accept(input.link, input.remote)
          : this.#connections.adopt(input.link, input.remote, input.webSeed);
      case "verified":
        return this.#downloads.verified(input.pieceIndex, input.valid);
      case "stored":
        this.#downloads.stored(input.pieceIndex);
        return this.#leaveSeeds();
      case "piece-read":
        return this.#uploads.pieceRead(input.pieceIndex, input.bytes);
      case "want":
        return this.#demand.want(input.pieces);
      case "unwant":
        return this.#demand.unwant(input.pieces);
      case "supplied":
        this.#demand.supplied(input.pieceIndex, input.bytes);
        return this.#leaveSeeds();
      case "stop":
        return this.#connections.stop();
      case "metadata-verified":
        return; // We have it.
    }
    const session = this.#state.sessions.get(input.link);
    if (session === undefined) return;
    switch (input.kind) {
      case "connected":
        return this.#connections.connected(session);
      case "closed":
        return this.#connections.forget(session, input.reason, "soon");
      case "sent":
        return; // See #rests.
      case "received":
        return this.#received(session, input.bytes);
    }
  }

  #tick(start: boolean): void {
    const { nowMs } = this.#state;
    this.#choking.tick();
    if (nowMs < this.#nextTickMs && !start) return;
    this.#nextTickMs = nowMs + TICK_MS;
    this.#connections.tick();
    this.#downloads.tick();
    this.#spread.tick();
    this.#extensions.tick();
    this.#hashes.tick();
    this.#connections.connect();
  }

  #received(session: PeerSession, bytes: Uint8Array): void {
    const state = this.#state;
    state.stirred = false;
    this.#connections.received(session, bytes, this.#messages);
    if (state.stirred) this.#settle(session);
  }

  /** After a peer's messages: asks for what they made possible. */
  #settle(session: PeerSession): void {
    const { board } = this.#state;
    if (!session.gone) {
      this.#hashes.ask(session);
      this.#downloads.fill(session);
    }
    this.#downloads.settle();
    if (board.endgame && !this.#wasEndgame) this.#downloads.fillAll();
    this.#wasEndgame = board.endgame;
  }

  /** Goes on with the connections that brought the metadata. */
  #takeOver(handover: Handover): void {
    // Of a magnet link only the metadata says whether it is private.
    if (this.#state.options.private) handover.contacts.keepPrivate();
    const sessions = this.#connections.takeOver(handover);
    for (const [at, { messages }] of handover.sessions.entries()) {
      const session = sessions[at]!;
      if (session.stage !== "open") continue;
      this.#messages.greetAgain(session);
      this.#connections.guard(session, () =>
        this.#connections.takeAll(
          session,
          messages,
          this.#messages,
        ));
      this.#settle(session);
    }
  }

  /** Two that want nothing have nothing to say to each other. */
  #leaveSeeds(): void {
    if (!this.#state.have.complete) return;
    for (const session of this.#state.open()) {
      if (session.pieces.complete || session.uploadOnly) {
        this.#connections.close(session, "both have everything", "never");
      }
    }
  }

  #left(session: PeerSession): void {
    this.#totals.add(session);
    this.#downloads.left(session);
    this.#uploads.left(session);
    this.#spread.left(session);
    this.#hashes.left(session);
    this.#choking.left(session);
    if (this.#connections.stopped) return;
    this.#choking.fillFreeSlots();
    this.#downloads.fillAll();
    this.#connections.connect();
  }
}
