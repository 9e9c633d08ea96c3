import { IdPrefixes, NO_PREFIX, PREFIX_BYTES } from "./_id_prefixes.ts";
import {
  copyBytes,
  PREFIX_AT,
  restAt,
  SEGMENT,
  type Segment,
  SEGMENT_MASK,
  TAIL_BYTES,
} from "./_peer_segment.ts";

/** One record: its segment, and its number in the store. */
export interface Place {
  readonly segment: Segment;
  readonly record: number;
}

/** The peer ids of a store's records: their ends, and numbers for the prefixes that they share. */
export class PeerIds {
  readonly #prefixes = new IdPrefixes();

  /** Sets the id of a record. */
  set(segment: Segment, record: number, id: Uint8Array): void {
    const { rest } = segment;
    const own = restAt(record);
    for (let at = 0; at < TAIL_BYTES; at++) {
      rest[own + at] = id[PREFIX_BYTES + at]!;
    }
    const known = prefixOf(rest, own);
    if (known !== NO_PREFIX && this.#prefixes.isOf(known, id)) return;
    const number = this.#prefixes.numberOf(id);
    rest[own + PREFIX_AT] = number;
    rest[own + PREFIX_AT + 1] = number >> 8;
    if (number === NO_PREFIX) setPrefix(segment, record, id);
  }

  /** Copies the id of a record to `into` at `offset`. */
  copy({ segment, record }: Place, into: Uint8Array, offset: number): void {
    const { rest, prefixes } = segment;
    const own = restAt(record);
    const number = prefixOf(rest, own);
    if (number !== NO_PREFIX) this.#prefixes.copy(number, into, offset);
    else {
      const from = prefixAt(record);
      copyBytes(prefixes!, from, { into, offset, count: PREFIX_BYTES });
    }
    offset += PREFIX_BYTES;
    copyBytes(rest, own, { into, offset, count: TAIL_BYTES });
  }

  /** Whether a record has that id. From the end: ids start with the name of the program, which many share. */
  has({ rest, prefixes }: Segment, record: number, id: Uint8Array): boolean {
    const own = restAt(record);
    for (let at = TAIL_BYTES - 1; at >= 0; at--) {
      if (rest[own + at] !== id[PREFIX_BYTES + at]) return false;
    }
    const number = prefixOf(rest, own);
    if (number !== NO_PREFIX) return this.#prefixes.isOf(number, id);
    const from = prefixAt(record);
    for (let at = 0; at < PREFIX_BYTES; at++) {
      if (prefixes![from + at] !== id[at]) return false;
    }
    return true;
  }

  /** A record's part of {@linkcode Segment.rest} was copied to another's: what lies elsewhere follows. */
  follow(from: Place, to: Place): void {
    if (prefixOf(from.segment.rest, restAt(from.record)) !== NO_PREFIX) return;
    const at = prefixAt(from.record);
    const id = from.segment.prefixes!.subarray(at, at + PREFIX_BYTES);
    setPrefix(to.segment, to.record, id);
  }
}

/** The number of the prefix of the record whose part of {@linkcode Segment.rest} is at `own`. */
function prefixOf(rest: Uint8Array, own: number): number {
  return rest[own + PREFIX_AT]! | rest[own + PREFIX_AT + 1]! << 8;
}

/** Where a record's prefix is in {@linkcode Segment.prefixes}. */
function prefixAt(record: number): number {
  return (record & SEGMENT_MASK) * PREFIX_BYTES;
}

/** Keeps a prefix that has no number. */
function setPrefix(segment: Segment, record: number, id: Uint8Array): void {
  const into = segment.prefixes ??= new Uint8Array(SEGMENT * PREFIX_BYTES);
  copyBytes(id, 0, { into, offset: prefixAt(record), count: PREFIX_BYTES });
}
