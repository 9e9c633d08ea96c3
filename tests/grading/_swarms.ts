/** The info-hashes that the tracker's grader announces: one for each test, and the same each time. */
import { assertEquals } from "@std/assert";
import { fromLatin1 } from "./_bencode.ts";
import { sha1 } from "./_shared_file.ts";

const NAMES = [
  ...["first", "meeting", "again", "twice", "itself", "compact"],
  ...["dictionaries", "stopped", "one", "other", "few", "scraped"],
  ...["datagrams"],
] as const;

/** A swarm for each purpose. */
export const SWARMS = Object.fromEntries(
  NAMES.map((
    name,
  ) => [name, sha1(new TextEncoder().encode(`grading ${name}`))]),
) as Readonly<Record<(typeof NAMES)[number], Uint8Array<ArrayBuffer>>>;

/** Hashes that have all 256 bytes among them: 0 to 19, 20 to 39 and so on. */
export function allBytes(): Uint8Array<ArrayBuffer>[] {
  return Array.from(
    { length: 13 },
    (_, index) => Uint8Array.from({ length: 20 }, (_, at) => 20 * index + at),
  );
}

/** Where a peer says that it is. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** The id of the peer that the grader plays at a port. */
export function peerIdOf(port: number): Uint8Array<ArrayBuffer> {
  return fromLatin1(`-GR0100-${`${port}`.padStart(12, "0")}`);
}

/** Reads peers of six bytes each: an IPv4 address and a port (BEP 23). */
export function readCompact(bytes: Uint8Array): Peer[] {
  assertEquals(bytes.length % 6, 0, "compact peers have six bytes each");
  return Array.from({ length: bytes.length / 6 }, (_, index) => {
    const [a, b, c, d, high, low] = bytes.subarray(6 * index, 6 * index + 6);
    return { host: [a, b, c, d].join("."), port: 256 * high! + low! };
  });
}
