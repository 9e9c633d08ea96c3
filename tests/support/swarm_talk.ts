import { createHash } from "node:crypto";
import {
  encodeFeatures,
  encodeHandshake,
  type Handshake,
  type PeerFeatures,
} from "../../lib/bittorrent/wire/handshake.ts";
import type { Layout } from "../../lib/bittorrent/metainfo/layout.ts";
import { Swarm } from "../../lib/bittorrent/swarm/swarm.ts";
import type { SwarmOptions } from "../../lib/bittorrent/swarm/options.ts";
import type {
  SwarmEvent,
  SwarmInput,
  SwarmOutput,
} from "../../lib/bittorrent/swarm/in_out.ts";
import { seededRng } from "../../lib/core/rng.ts";
import {
  type EncodableMessage,
  encodeMessage,
  PIECE_HEADER_BYTES,
  type WireMessage,
  writePieceHeader,
} from "../../lib/bittorrent/wire/messages.ts";
import { WireDecoder } from "../../lib/bittorrent/wire/decoder.ts";
import { TokenBucket } from "../../lib/model/token_bucket.ts";
import { layoutOf } from "./swarm_world.ts";

export function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** The options of a peer that has nothing, in a swarm without limits. */
export function swarmOptions(layout: Layout): SwarmOptions {
  return {
    layout,
    infoHash: new Uint8Array(20).fill(7),
    peerId: new Uint8Array(20).fill(65),
    have: [],
    rng: seededRng(1),
    picker: "rarest",
    unchokeSlots: 4,
    chokeIntervalMs: 10_000,
    optimisticIntervalMs: 30_000,
    freeRide: false,
    maxConnections: 80,
    upload: new TokenBucket({ bytesPerSecond: Infinity }, 0),
    download: new TokenBucket({ bytesPerSecond: Infinity }, 0),
    superSeed: false,
  };
}

/** A machine whose links the test holds the other ends of: it answers disk and hash at once, and keeps what is said. */
export class SwarmTalk {
  swarm: { handle(input: SwarmInput, nowMs: number): SwarmOutput[] };
  readonly events: SwarmEvent[] = [];
  /** Outputs the talk does not carry out itself, in order. */
  readonly others: SwarmOutput[] = [];
  nowMs = 0;
  readonly #peers = new Map<number, TalkPeer>();

  constructor(swarm: SwarmTalk["swarm"]) {
    this.swarm = swarm;
    this.feed({ kind: "start" });
  }

  /** A swarm of 100 pieces of 64 KiB; `have` "all" makes it a seed. */
  static create(
    options: Partial<Omit<SwarmOptions, "have">> & {
      readonly have?: readonly number[] | "all";
      readonly totalBytes?: number;
    } = {},
  ): SwarmTalk {
    const layout = options.layout ??
      layoutOf(options.totalBytes ?? 100 * 65_536, 65_536);
    const { have = [] } = options;
    return new SwarmTalk(
      new Swarm({
        ...swarmOptions(layout),
        sha1,
        ...options,
        layout,
        have: have === "all"
          ? Array.from({ length: layout.pieceCount }, (_, at) => at)
          : have,
      }, 0),
    );
  }

  /** Lets time pass, a tick for each second. */
  wait(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs = Math.min(endMs, this.nowMs + 1000);
      this.feed({ kind: "timeout" });
    }
  }

  /** Someone connects and says its handshake. */
  accept(
    options: {
      readonly features?: Partial<PeerFeatures>;
      readonly host?: string;
      readonly id?: number;
      readonly pieceCount?: number;
      readonly infoHash?: Uint8Array;
    } = {},
  ): TalkPeer {
    const { features = {}, host = "80.4.4.200" } = options;
    const number = this.#peers.size + 1;
    const peer = new TalkPeer(this, -number, options.pieceCount ?? 100);
    this.#peers.set(-number, peer);
    this.feed({
      kind: "accepted",
      link: -number,
      remote: { host, port: 5000 + number },
    });
    this.feed({
      kind: "received",
      link: -number,
      bytes: encodeHandshake({
        infoHash: options.infoHash ?? new Uint8Array(20).fill(7),
        peerId: new Uint8Array(20).fill(options.id ?? 100 + number),
        reserved: encodeFeatures(features),
      }),
    });
    return peer;
  }

  /** Gives the machine an input and carries out what it wants. */
  feed(input: SwarmInput): void {
    const inputs = [input];
    for (let next = inputs.shift(); next; next = inputs.shift()) {
      for (const output of this.swarm.handle(next, this.nowMs)) {
        inputs.push(...this.#perform(output));
      }
    }
  }

  #perform(output: SwarmOutput): SwarmInput[] {
    switch (output.kind) {
      case "event":
        this.events.push(output.event);
        return [];
      case "send":
        this.#peers.get(output.link)?.hear(output.bytes);
        return [{ kind: "sent", link: output.link }];
      case "close":
        this.#peers.get(output.link)?.closed();
        return [];
      case "verify":
        return [{
          kind: "verified",
          pieceIndex: output.pieceIndex,
          valid: true,
        }];
      case "store":
        return [{ kind: "stored", pieceIndex: output.pieceIndex }];
      case "read":
        return [{
          kind: "piece-read",
          pieceIndex: output.pieceIndex,
          bytes: output.buffer.fill(output.pieceIndex % 251),
        }];
      default:
        this.others.push(output);
        return [];
    }
  }
}

/** The test's end of a link. */
export class TalkPeer {
  readonly link: number;
  readonly #talk: SwarmTalk;
  readonly #decoder: WireDecoder;
  #handshake: Handshake | null = null;
  #heard: WireMessage[] = [];
  isClosed = false;

  constructor(talk: SwarmTalk, link: number, pieceCount: number) {
    this.#talk = talk;
    this.link = link;
    this.#decoder = new WireDecoder({ pieceCount });
  }

  /** The name of the torrent in the machine's handshake. */
  get infoHash(): Uint8Array | undefined {
    return this.#handshake?.infoHash;
  }

  /** The reserved bytes of the machine's handshake. */
  get reserved(): Uint8Array | undefined {
    return this.#handshake?.reserved;
  }

  hear(bytes: Uint8Array): void {
    const messages = this.#decoder.push(bytes.slice());
    this.#handshake ??= this.#decoder.takeHandshake();
    for (const message of messages) {
      this.#heard.push(
        message.kind === "extended"
          ? { ...message, payload: message.payload.slice() }
          : message,
      );
    }
  }

  closed(): void {
    this.isClosed = true;
  }

  /** What was heard since the last time. */
  heard(): WireMessage[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  say(...messages: readonly EncodableMessage[]): void {
    for (const message of messages) {
      this.#talk.feed({
        kind: "received",
        link: this.link,
        bytes: encodeMessage(message),
      });
    }
  }

  /** Gives a block. */
  give(block: { pieceIndex: number; begin: number; lengthBytes: number }) {
    const bytes = new Uint8Array(PIECE_HEADER_BYTES + block.lengthBytes);
    writePieceHeader(bytes, 0, block);
    this.#talk.feed({ kind: "received", link: this.link, bytes });
  }
}
