/** What the fields of a {@linkcode PeerStore}'s records mean to a tracker. */
import { ByteSlab } from "../../../core/byte_slab.ts";
import { roughSize, sizeOfRough } from "./_rough_size.ts";
import type { PeerStore } from "./peer_store.ts";

/** How far a peer is: what it tells with each announce. */
export interface PeerSizes {
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** 0 makes it a seed. */
  readonly leftBytes: number;
}

/** One peer as it is shown and saved. Its sizes are exact up to 700 bytes, then to 0.04 %; what it uploaded to 0.1 %. */
export interface PeerView extends PeerSizes {
  /** Address and port: 6 bytes, or 18. */
  readonly compact: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** How long ago it announced. */
  readonly silentMs: number;
  /** Its download was counted. */
  readonly counted: boolean;
}

/** Which of a record's three numbers is which. */
const UPLOADED = 0;
const DOWNLOADED = 1;
const LEFT = 2;
/** The last bit of what it uploaded: its download was counted. A repeated "completed" (UDP repeats requests) counts once. */
const COUNTED = 1;
const COMPACTS = new ByteSlab();

/** Keeps how far a peer is. */
export function setSizes(
  store: PeerStore,
  record: number,
  sizes: PeerSizes,
): void {
  const uploaded = roughSize(sizes.uploadedBytes) & ~COUNTED;
  const counted = store.size16(record, UPLOADED) & COUNTED;
  store.setSize16(record, UPLOADED, uploaded | counted);
  store.setSize16(record, DOWNLOADED, roughSize(sizes.downloadedBytes));
  store.setSize16(record, LEFT, roughSize(sizes.leftBytes));
}

/** Returns whether a peer lacks nothing. */
export function isSeed(store: PeerStore, record: number): boolean {
  return store.size16(record, LEFT) === 0;
}

/** Returns whether a peer's download was counted. */
export function isCounted(store: PeerStore, record: number): boolean {
  return (store.size16(record, UPLOADED) & COUNTED) !== 0;
}

/** Keeps whether a peer's download was counted. */
export function setCounted(
  store: PeerStore,
  record: number,
  counted: boolean,
): void {
  const uploaded = store.size16(record, UPLOADED) & ~COUNTED;
  store.setSize16(record, UPLOADED, counted ? uploaded | COUNTED : uploaded);
}

/** Returns all that is kept of a peer. @param used A view of a peer of that store which is not needed any more: its bytes are written over. */
export function viewPeer(
  store: PeerStore,
  record: number,
  silentMs: number,
  used?: PeerView,
): PeerView {
  const compact = used?.compact ?? new Uint8Array(store.compactBytes);
  const peerId = used?.peerId ?? new Uint8Array(20);
  store.copyCompact(record, compact);
  store.copyId(record, peerId, 0);
  return {
    compact,
    peerId,
    uploadedBytes: sizeOfRough(store.size16(record, UPLOADED) & ~COUNTED),
    downloadedBytes: sizeOfRough(store.size16(record, DOWNLOADED)),
    leftBytes: sizeOfRough(store.size16(record, LEFT)),
    silentMs,
    counted: isCounted(store, record),
  };
}

/** Returns address and port in compact form (BEP 23, BEP 7). */
export function compactOf(
  { address, port }: { readonly address: Uint8Array; readonly port: number },
): Uint8Array {
  const compact = COMPACTS.take(address.length + 2);
  for (let at = 0; at < address.length; at++) compact[at] = address[at]!;
  compact[address.length] = port >> 8;
  compact[address.length + 1] = port;
  return compact;
}
