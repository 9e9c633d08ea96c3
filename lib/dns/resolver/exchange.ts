/**
 * One question of a resolver to one authority, and what is an answer to it.
 *
 * Whoever can make a resolver believe a forged answer sends all its clients where they like (Kaminsky, 2008). A forger
 * who does not see the question has to guess its id (16 bits), the port it was sent from (the driver takes a new one
 * for each), and which letters of the name are capitals (0x20, draft-vixie-dnsext-dns0x20): about a bit a letter.
 */
import type { Cidr } from "../../core/address.ts";
import { unlessBroken } from "../../core/errors.ts";
import type { Rng } from "../../core/rng.ts";
import { CLASSES, RCODES } from "../codes.ts";
import { decodeMessage, type DnsMessage } from "../message.ts";
import { equalNames, lowerByte, type Name } from "../name.ts";
import { encodeQuery } from "../stub_query.ts";
import type { ServerAddress } from "./servers.ts";

/** Why a message is no answer. */
export type Mismatch =
  | "wrong-source"
  | "wrong-id"
  | "wrong-question"
  | "wrong-case"
  | "malformed";

/** Returns a name with its letters in upper or lower case by lot. */
export function mixCase(name: Name, rng: Rng): Name {
  return name.map((byte) => {
    const lower = lowerByte(byte);
    // A length byte is at most 63, and so no letter
    return lower >= 0x61 && lower <= 0x7a && rng() < 0.5 ? lower - 0x20 : lower;
  });
}

/** See the head of this file. */
export class Exchange {
  readonly server: ServerAddress;
  readonly transport: "udp" | "tcp";
  /** The query, without TCP's length. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #id: number;
  /** As it was asked for, and as it was sent. */
  readonly #name: Name;
  readonly #sentName: Name;
  readonly #type: number;
  readonly #mixesCase: boolean;

  /** Draws an id and writes the query. */
  constructor(options: {
    readonly server: ServerAddress;
    readonly transport: "udp" | "tcp";
    readonly name: Name;
    readonly type: number;
    readonly clientSubnet: Cidr | undefined;
    readonly edns: boolean;
    /** Draws capitals. */
    readonly mixesCase: boolean;
    readonly rng: Rng;
  }) {
    const { rng, name, type, clientSubnet } = options;
    this.server = options.server;
    this.transport = options.transport;
    this.#mixesCase = options.mixesCase;
    this.#id = Math.floor(rng() * 65536);
    this.#name = name;
    this.#sentName = options.mixesCase ? mixCase(name, rng) : name;
    this.#type = type;
    this.bytes = encodeQuery({
      id: this.#id,
      name: this.#sentName,
      type,
      recursionDesired: false,
      edns: options.edns,
      ...(clientSubnet === undefined ? {} : { clientSubnet }),
    });
  }

  /** Returns the message if it is an answer to this question, or why it is none. */
  check(bytes: Uint8Array, from: ServerAddress): DnsMessage | Mismatch {
    if (from.host !== this.server.host || from.port !== this.server.port) {
      return "wrong-source";
    }
    const isSameCase = hasName(bytes, this.#sentName);
    const message = unlessBroken(() =>
      decodeMessage(isSameCase ? this.#unmixed(bytes) : bytes)
    );
    if (message === undefined) return "malformed";
    if (!message.isResponse || message.id !== this.#id) return "wrong-id";
    const [question, ...more] = message.questions;
    if (question === undefined) {
      // FORMERR, NOTIMP and the like may come without the question
      return message.rcode === RCODES.NOERROR ||
          message.rcode === RCODES.NXDOMAIN
        ? "wrong-question"
        : message;
    }
    if (
      more.length > 0 || question.type !== this.#type ||
      question.class !== CLASSES.IN || !equalNames(question.name, this.#name)
    ) return "wrong-question";
    return this.#mixesCase && !isSameCase ? "wrong-case" : message;
  }

  /** Names that are compressed point into the question: with that as it was asked for, no capital of ours is left in them. */
  #unmixed(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    copy.set(this.#name, QUESTION_AT);
    return copy;
  }
}

const QUESTION_AT = 12;

/** Whether the question's name is this one, in this case. */
function hasName(bytes: Uint8Array, name: Name): boolean {
  return bytes.length >= QUESTION_AT + name.length &&
    name.every((byte, at) => byte === bytes[QUESTION_AT + at]);
}
