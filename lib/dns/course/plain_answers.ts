/**
 * Answers as the name servers of course projects give them, and their graders check them: no RD, RA or Z, always AA,
 * nothing but the question and the answer, NXDOMAIN for every name that is not served, no EDNS.
 */
import type { Answering, Asker, Reply } from "../authority/responder.ts";
import { CLASSES, RCODES } from "../codes.ts";
import { equalNames, type Name } from "../name.ts";

/** Where the question's name may be followed; longer ones are no names (RFC 1035 §3.1). */
const MAX_QUESTION_END = 12 + 255;

/** Makes another's answers plain; see the head of this file. */
export class PlainAnswers implements Answering {
  readonly #inner: Answering;
  readonly #hidden: readonly Name[];
  readonly #query = new Uint8Array(MAX_QUESTION_END + 4);

  /** Takes the answers of `inner`; names of `hidden` are there for it only, and for who asks there are none. */
  constructor(inner: Answering, hidden: readonly Name[] = []) {
    this.#inner = inner;
    this.#hidden = hidden;
  }

  /** See {@linkcode Responder.respond}. */
  respond(
    query: Uint8Array,
    asker: Asker,
    into?: Uint8Array,
  ): Reply | undefined {
    const end = questionEnd(query);
    const reply = this.#inner.respond(
      end < 0 ? query : this.#bare(query, end),
      asker,
      into,
    );
    // None, or one beyond the rate limit: nothing is sent
    if (reply === undefined || reply.length === 0) return reply;
    const isOther = reply.rcode === RCODES.REFUSED ||
      reply.rcode === RCODES.NOERROR && this.#isHidden(query, end);
    const rcode = isOther ? RCODES.NXDOMAIN : reply.rcode;
    const { bytes } = reply;
    const answers = isOther ? 0 : reply.answers;
    const length = end < 0 ? 12 : answersEnd(bytes, end, answers);
    // QR, the opcode, AA; who is to ask over TCP, as it asks too much, has to be told
    const truncated = reply.fate === "slipped";
    bytes[2] = 0x80 | bytes[2]! & 0x78 | 0x04 | (truncated ? 2 : 0);
    bytes[3] = rcode & 15;
    if (end < 0) bytes[5] = 0;
    if (isOther) bytes.fill(0, 6, 8);
    bytes.fill(0, 8, 12);
    return {
      ...reply,
      rcode,
      answers,
      truncated,
      bytes: bytes.subarray(0, length),
      length,
    };
  }

  /** What is asked has an answer, but not one that a course's server would have. */
  #isHidden(query: Uint8Array, end: number): boolean {
    if (end < 0) return false;
    // Such as version.bind
    if (query[end - 1] === CLASSES.CH) return true;
    const name = query.subarray(12, end - 4);
    return this.#hidden.some((hidden) => equalNames(hidden, name));
  }

  /** The query with nothing but its question, and without RD. */
  #bare(query: Uint8Array, end: number): Uint8Array {
    const bare = this.#query.subarray(0, end);
    bare.set(query.subarray(0, end));
    bare[2] = query[2]! & 0xf8;
    bare[3] = 0;
    bare.fill(0, 6, 12);
    return bare;
  }
}

/** Where the only question ends; -1 if there is none that can be read. */
function questionEnd(query: Uint8Array): number {
  if (query.length < 12 || query[4] !== 0 || query[5] !== 1) return -1;
  for (let at = 12; at < Math.min(query.length, MAX_QUESTION_END);) {
    const length = query[at]!;
    if (length > 63) return -1;
    at += 1 + length;
    if (length === 0) return at + 4 <= query.length ? at + 4 : -1;
  }
  return -1;
}

/** Where the answer section ends, which starts at `start`. */
function answersEnd(
  bytes: Uint8Array,
  start: number,
  answers: number,
): number {
  let at = start;
  for (let index = 0; index < answers; index++) {
    while (bytes[at]! !== 0 && bytes[at]! < 0xc0) at += 1 + bytes[at]!;
    at += bytes[at] === 0 ? 1 : 2;
    at += 10 + (bytes[at + 8]! << 8 | bytes[at + 9]!);
  }
  return at;
}
