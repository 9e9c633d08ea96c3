import { isAddress } from "../../../core/address.ts";
import {
  decodeExtendedHandshake,
  encodeExtendedHandshake,
  mergeExtended,
  OUR_EXTENSIONS,
} from "../../wire/extended.ts";
import type { PeerSession } from "../state/peer_session.ts";
import { MetadataUploads } from "./metadata.ts";
import { PeerExchange } from "./pex.ts";
import type { SwarmState } from "../state/state.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import { MAX_QUEUED_REQUESTS } from "../upload/upload.ts";
import {
  decodeMetadataMessage,
  type MetadataMessage,
} from "../../wire/ut_metadata.ts";

/** Who hears of the peers that another peer tells of (BEP 11). */
export interface Acquaintances {
  /** They are gone. */
  lost(peers: readonly PeerEndpoint[]): void;
  /** They are there. */
  found(peers: readonly PeerEndpoint[], source: "pex"): void;
}

/** The extension protocol (BEP 10): its handshake, and what its messages lead to. */
export class Extensions {
  readonly #state: SwarmState;
  readonly #acquaintances: Acquaintances;
  readonly #exchange: PeerExchange;
  readonly #metadata: MetadataUploads;
  readonly #metadataCame: (
    session: PeerSession,
    message: Exclude<MetadataMessage, { readonly kind: "request" }>,
  ) => void;

  /** The last extended handshake: on one machine all are the same. */
  #said: {
    readonly host: string;
    readonly seed: boolean;
    readonly payload: Uint8Array;
  } | null = null;

  /** @param metadataCame Takes what peers answer to requests for the info dictionary. */
  constructor(
    state: SwarmState,
    acquaintances: Acquaintances,
    metadataCame: (
      session: PeerSession,
      message: Exclude<MetadataMessage, { readonly kind: "request" }>,
    ) => void = () => {},
  ) {
    this.#state = state;
    this.#acquaintances = acquaintances;
    this.#exchange = new PeerExchange(state);
    this.#metadata = new MetadataUploads(state);
    this.#metadataCame = metadataCame;
  }

  /** Says the extended handshake, and after it the port of our DHT node (BEP 5), to peers that know them. */
  greet(session: PeerSession, shown: { readonly seed: boolean }): void {
    const { dhtPort } = this.#state.options;
    this.introduce(session, shown);
    if (session.features.dht && dhtPort !== undefined) {
      session.say({ kind: "port", port: dhtPort });
    }
    this.#state.dirty.add(session);
  }

  /**
   * Says the extended handshake; said again it tells what is new.
   *
   * @param shown.seed We let the peer see that we have everything. One that super-seeds must not call itself upload-only
   * beside a `have-none`: libtorrent leaves whoever has nothing and wants nothing.
   */
  introduce(session: PeerSession, shown: { readonly seed: boolean }): void {
    if (!session.features.extended) return;
    const { host } = session.remote;
    const said = this.#said;
    const payload = said?.host === host && said.seed === shown.seed
      ? said.payload
      : this.#handshakeTo(host, shown.seed);
    this.#said = { host, seed: shown.seed, payload };
    session.say({ kind: "extended", id: 0, payload });
  }

  #handshakeTo(host: string, seed: boolean): Uint8Array {
    const { options } = this.#state;
    const { metadata, listenPort, client } = options;
    return encodeExtendedHandshake({
      ...(metadata === undefined ? {} : { metadataBytes: metadata.length }),
      ...(listenPort === undefined ? {} : { port: listenPort }),
      ...(client === undefined ? {} : { client }),
      ...(isAddress(host) ? { yourIp: host } : {}),
      reqq: MAX_QUEUED_REQUESTS,
      uploadOnly: seed,
      without: options.private ? ["ut_pex"] : [],
    });
  }

  /** The peer has a DHT node, too (BEP 5). */
  port(session: PeerSession, port: number): void {
    if (port === 0 || this.#state.options.dhtPort === undefined) return;
    const node = { host: session.remote.host, port };
    this.#state.put({ kind: "dht-node", node });
  }

  /** Takes an extended message; one with a number we did not give is ignored. @throws {ProtocolError} */
  take(session: PeerSession, id: number, payload: Uint8Array): void {
    if (!session.features.extended) return;
    switch (id) {
      case 0:
        return this.#introduced(session, payload);
      case OUR_EXTENSIONS.ut_pex: {
        const { added, dropped } = this.#exchange.heard(session, payload);
        const { have } = this.#state;
        const seeding = have.length > 0 && have.complete;
        this.#acquaintances.lost(dropped);
        return this.#acquaintances.found(
          added.filter(({ seed }) => !(seed && seeding)),
          "pex",
        );
      }
      case OUR_EXTENSIONS.ut_metadata: {
        const message = decodeMetadataMessage(payload);
        if (message?.kind === "request") {
          return this.#metadata.requested(session, message.block);
        }
        if (message !== null) this.#metadataCame(session, message);
      }
    }
  }

  /** A send is done. */
  sent(session: PeerSession): void {
    this.#metadata.pump(session);
  }

  /** Once a second. */
  tick(): void {
    this.#exchange.tick();
  }

  #introduced(session: PeerSession, payload: Uint8Array): void {
    const first = session.extended === null;
    const now = decodeExtendedHandshake(payload);
    session.extended = mergeExtended(session.extended, now);
    if (now.client !== undefined) session.client = now.client;
    if (now.yourIp !== undefined) {
      this.#state.externalAddress.named(now.yourIp, session.remote.host);
    }
    if (!first) return;
    this.#state.emit({
      type: "peer.introduced",
      remote: session.address,
      peerId: session.peerId,
      client: session.client,
      extensions: Object.entries(now.extensions)
        .flatMap(([name, id]) => id > 0 ? [name] : []).join(", "),
      uploadOnly: session.uploadOnly,
    });
  }
}
