/**
 * A swarm before its torrent is known: who has a magnet link knows the info-hash only. It connects, speaks the handshakes,
 * and asks for the info dictionary (BEP 9). What peers say meanwhile of their pieces is kept, and handed with the
 * connections to the {@linkcode Swarm} that is made when the dictionary is there.
 */
import type { Machine } from "../../core/machine.ts";
import type { Layout } from "../metainfo/layout.ts";
import { MetadataDownload } from "./extensions/metadata_download.ts";
import type { PeerSession } from "./state/peer_session.ts";
import { Connections, type MessageTaker } from "./connections/connections.ts";
import { banKey } from "./download/bans.ts";
import { Extensions } from "./extensions/extensions.ts";
import type { Handover } from "./connections/handover.ts";
import { SwarmState } from "./state/state.ts";
import type { SwarmOptions } from "./options.ts";
import type { SwarmInput, SwarmOutput } from "./in_out.ts";
import { Uploads } from "./upload/upload.ts";
import type { WireMessage } from "../wire/messages.ts";

/** The layout of a torrent nobody knows yet. */
export const UNKNOWN_LAYOUT: Layout = {
  totalBytes: 0,
  pieceLength: 16 * 1024,
  pieceCount: 0,
  files: [],
};
const TICK_MS = 1_000;
/** Messages of a peer that are kept; a peer that says more before the torrent is known connects again afterwards. */
const MAX_KEPT_MESSAGES = 20_000;

/** The machine. See the head of this file. */
export class MetadataSwarm implements Machine<SwarmInput, SwarmOutput> {
  readonly #state: SwarmState;
  readonly #connections: Connections;
  readonly #extensions: Extensions;
  readonly #sender: Uploads;
  readonly #download: MetadataDownload;
  readonly #taker: MessageTaker = {
    take: (session, message) => this.#message(session, message),
  };
  readonly #kept = new WeakMap<PeerSession, WireMessage[]>();
  readonly #banned = new Set<string>();
  #nextTickMs: number;

  /** @param options Its `layout` is {@linkcode UNKNOWN_LAYOUT}. */
  constructor(options: SwarmOptions, nowMs: number) {
    const state = this.#state = new SwarmState(options, nowMs);
    this.#connections = new Connections(state, {
      admits: (session) => !this.#banned.has(banKey(session)),
      opened: (session) => this.#greet(session),
      left: (session) => this.#left(session),
    });
    this.#sender = new Uploads(state);
    this.#download = new MetadataDownload(state);
    this.#extensions = new Extensions(
      state,
      this.#connections,
      (session, message) => this.#download.came(session, message),
    );
    this.#nextTickMs = nowMs + TICK_MS;
  }

  /** The next tick. */
  get deadlineMs(): number {
    return this.#connections.stopped ? Infinity : this.#nextTickMs;
  }

  /** Whether any handshake ever succeeded. */
  get everConnected(): boolean {
    return this.#state.everConnected;
  }

  /** Why the last copy or offer of metadata was not taken; "" if there was none. */
  get lastRefusal(): string {
    return this.#download.lastRefusal;
  }

  /** Takes one input. Inputs about a link that is closed already are nothing. */
  handle(input: SwarmInput, nowMs: number): SwarmOutput[] {
    this.#state.begin(nowMs);
    this.#take(input);
    this.#sender.flush();
    return this.#state.out;
  }

  /** Ends this machine and gives all it knows to the one that goes on. */
  handOver(): Handover {
    const sessions = [...this.#state.sessions.values()];
    return {
      ...this.#connections.handOver(),
      sessions: sessions.map((session) => ({
        session,
        messages: this.#kept.get(session) ?? [],
      })),
    };
  }

  #take(input: SwarmInput): void {
    switch (input.kind) {
      case "start":
      case "timeout":
        return this.#tick();
      case "peers-found":
        return this.#connections.found(input.peers, input.source);
      case "accepted":
        return this.#connections.accept(input.link, input.remote);
      case "stop":
        return this.#connections.stop();
      case "metadata-verified":
        return this.#verified(input.link, input.valid);
      case "connected":
      case "closed":
      case "sent":
      case "received": {
        const session = this.#state.sessions.get(input.link);
        if (session !== undefined) this.#takeOf(session, input);
      }
    }
  }

  #takeOf(
    session: PeerSession,
    input: Extract<
      SwarmInput,
      { readonly kind: "connected" | "closed" | "sent" | "received" }
    >,
  ): void {
    switch (input.kind) {
      case "connected":
        return this.#connections.connected(session);
      case "closed":
        return this.#connections.forget(session, input.reason, "soon");
      case "sent":
        session.sending = false;
        if (session.hasControl) this.#state.dirty.add(session);
        return;
      case "received":
        return this.#connections.received(
          session,
          input.bytes,
          this.#taker,
        );
    }
  }

  #tick(): void {
    if (this.#state.nowMs >= this.#nextTickMs) {
      this.#nextTickMs = this.#state.nowMs + TICK_MS;
    }
    this.#connections.tick();
    this.#extensions.tick();
    this.#download.tick();
    this.#connections.connect();
  }

  #greet(session: PeerSession): void {
    this.#extensions.greet(session, { seed: false });
    if (session.features.fast) session.say({ kind: "have-none" });
  }

  #left(session: PeerSession): void {
    this.#download.left(session);
    this.#connections.connect();
  }

  #message(session: PeerSession, message: WireMessage): void {
    switch (message.kind) {
      case "extended":
        this.#extensions.take(session, message.id, message.payload);
        return this.#download.ask();
      case "port":
        return this.#extensions.port(session, message.port);
      case "request": {
        if (!session.features.fast) return;
        session.say({ ...message, kind: "reject" });
        this.#state.dirty.add(session);
        return;
      }
      case "keep-alive":
      case "piece":
      case "cancel":
      case "reject":
      case "hashes":
      case "hash-reject":
      case "unknown":
        return;
      default:
        this.#keep(session, message);
    }
  }

  #keep(session: PeerSession, message: WireMessage): void {
    let kept = this.#kept.get(session);
    if (kept === undefined) this.#kept.set(session, kept = []);
    kept.push(message);
    // One bitfield is enough, and as long as a hostile peer likes.
    const isField = ({ kind }: WireMessage) => kind === "bitfield";
    const fields = isField(message) ? kept.filter(isField).length : 0;
    if (kept.length <= MAX_KEPT_MESSAGES && fields <= 2) return;
    this.#connections.close(session, "it says too much too early", "later");
  }

  #verified(link: number, valid: boolean): void {
    const blamed = this.#download.verified(link, valid);
    const session = this.#state.sessions.get(link);
    if (blamed && session !== undefined) {
      this.#banned.add(banKey(session));
      this.#state.emit({
        type: "peer.banned",
        remote: session.address,
        peerId: session.peerId,
        reason: "the metadata it sent has a wrong hash",
      });
      this.#connections.close(session, "banned", "never");
    }
    this.#download.ask();
  }
}
