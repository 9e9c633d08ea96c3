import type { WireMessage } from "../../wire/messages.ts";
import type { Contacts } from "../contacts/contacts.ts";
import type { PeerSession } from "../state/peer_session.ts";

/** What a swarm that has got its metadata gives to the one that downloads: its connections go on. */
export interface Handover {
  /** The peers we know, connected or not. */
  readonly contacts: Contacts;
  /** The last link that was numbered. */
  readonly lastLink: number;
  /** Every connection, and what the peer has said of its pieces and of us. */
  readonly sessions: readonly {
    readonly session: PeerSession;
    readonly messages: readonly WireMessage[];
  }[];
}
