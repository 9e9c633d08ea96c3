/**
 * A stub resolver's question, from the first datagram to the addresses (RFC 1034 §5.3.1), without sockets.
 *
 * It sends over UDP, again after a time that doubles, and over TCP when the answer did not fit. An alias whose target
 * is not in the same answer is asked for next, at the same server: that is how a client gets from a video site's
 * name to its CDN's edge when the server is no recursive resolver.
 */
import type { Cidr } from "../core/address.ts";
import { ProtocolError } from "../core/errors.ts";
import type { Machine } from "../core/machine.ts";
import type { Rng } from "../core/rng.ts";
import { counted } from "../core/units.ts";
import {
  CLASSES,
  EDNS_UDP_BYTES,
  rcodeName,
  RCODES,
  RECORD_TYPES,
  typeName,
} from "./codes.ts";
import { clientSubnetOf, type Edns } from "./edns.ts";
import {
  decodeMessage,
  type DnsMessage,
  type DnsRecord,
  encodeMessage,
} from "./message.ts";
import { displayName, equalNames, type Name, readName } from "./name.ts";
import { formatRdata } from "./rdata.ts";

/** How many aliases are followed in all; more are a loop or nobody's wish. */
export const MAX_ALIASES = 16;

/** What is asked, and how patiently. */
export interface StubQueryOptions {
  readonly name: Name;
  /** Default A. */
  readonly type?: number;
  /** Default IN. */
  readonly class?: number;
  /** Draws message ids. */
  readonly rng: Rng;
  /** Wait for the first answer; each further try waits twice as long. Default 1 s. */
  readonly timeoutMs?: number;
  /** Messages sent for one name before giving up. Default 3. */
  readonly attempts?: number;
  /** The RD bit. Default true. */
  readonly recursionDesired?: boolean;
  /** Asks for the clients of this network (EDNS Client Subnet). */
  readonly clientSubnet?: Cidr;
  /** Start with TCP. Default false. */
  readonly tcp?: boolean;
  /** Ask further for an alias's target. Default true. */
  readonly followAliases?: boolean;
}

/** What a {@linkcode StubQuery} takes: messages without TCP's length. `disconnected` is a TCP connection that failed or ended. */
export type StubInput =
  | { readonly kind: "start" }
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | {
    /** What was sent last will not be answered: it could not be sent, or the connection is over. */
    readonly kind: "disconnected";
    readonly reason?: string;
  }
  | { readonly kind: "timeout" };

/** What a {@linkcode StubQuery} wants done; it ends with `answered` or `failed`. */
export type StubOutput =
  | {
    readonly kind: "send";
    readonly transport: "udp" | "tcp";
    /** Without TCP's length. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | { readonly kind: "answered"; readonly answer: StubAnswer }
  | { readonly kind: "failed"; readonly error: ProtocolError };

/** What came of a question. */
export interface StubAnswer {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED` …; that of the last message when aliases were followed. */
  readonly rcode: string;
  /** What the server said of the last alias's target if it is not for this one to answer, such as `REFUSED`: the rest is from the message with the alias. */
  readonly targetRcode?: string;
  /** Addresses as text, when addresses were asked for; empty if there are none. */
  readonly addresses: readonly string[];
  /** Every name on the way, the asked one first, each the alias of the next. */
  readonly names: readonly string[];
  /** The records that lead to the answer and are it, in order. */
  readonly records: readonly DnsRecord[];
  /** For how long all of it may be kept: the least TTL; without records that of the negative answer (RFC 2308 §5), or 0. */
  readonly ttlSeconds: number;
  /** The last message, or that with the alias; see {@linkcode StubAnswer.targetRcode}. */
  readonly message: DnsMessage;
  readonly transport: "udp" | "tcp";
  /** Messages sent in all. */
  readonly sentMessages: number;
}

/** Returns the bytes of a query, with EDNS (RFC 6891) unless told otherwise. */
export function encodeQuery(options: {
  readonly id: number;
  readonly name: Name;
  readonly type: number;
  readonly class?: number;
  readonly recursionDesired?: boolean;
  readonly clientSubnet?: Cidr;
  /** Default true; without it there can be no client subnet. */
  readonly edns?: boolean;
}): Uint8Array<ArrayBuffer> {
  const { id, name, type, clientSubnet } = options;
  const edns: Edns = {
    udpBytes: EDNS_UDP_BYTES,
    version: 0,
    dnssecOk: false,
    upperRcode: 0,
    ...(clientSubnet === undefined
      ? {}
      : { clientSubnet: clientSubnetOf(clientSubnet) }),
  };
  return encodeMessage({
    id,
    isResponse: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: options.recursionDesired ?? true,
    recursionAvailable: false,
    rcode: 0,
    questions: [{ name, type, class: options.class ?? CLASSES.IN }],
    answers: [],
    authorities: [],
    additionals: [],
    ...(options.edns === false ? {} : { edns }),
  });
}

/** Follows the aliases of `name` within one answer section. */
function followAliases(
  name: Name,
  type: number,
  answers: readonly DnsRecord[],
): { readonly records: DnsRecord[]; readonly names: Name[] } {
  const records: DnsRecord[] = [];
  const names = [name];
  let current = name;
  while (names.length <= MAX_ALIASES) {
    const own = answers.filter((record) => equalNames(record.name, current));
    const direct = own.filter((record) =>
      type === RECORD_TYPES.ANY || record.type === type
    );
    if (direct.length > 0) return { records: [...records, ...direct], names };
    const alias = own.find((record) => record.type === RECORD_TYPES.CNAME);
    if (alias === undefined) break;
    records.push(alias);
    current = readName(alias.rdata, 0).name;
    names.push(current);
  }
  return { records, names };
}

/** Returns for how long a negative answer may be kept: the lesser of the SOA's TTL and its last field (RFC 2308 §5). */
export function negativeTtlSeconds(message: DnsMessage): number {
  const soa = message.authorities.find((record) =>
    record.type === RECORD_TYPES.SOA
  );
  if (soa === undefined) return 0;
  const minimum = Number(formatRdata(soa.type, soa.rdata).split(" ").at(-1));
  return Math.min(soa.ttlSeconds, minimum);
}

/** Whether a server has an answer at all, be it that there is none. */
function isAnswer({ rcode }: DnsMessage): boolean {
  return rcode === RCODES.NOERROR || rcode === RCODES.NXDOMAIN;
}

/** See the head of this file. Stray, late and forged messages are ignored: id and question must be ours. */
export class StubQuery implements Machine<StubInput, StubOutput> {
  readonly #options: StubQueryOptions;
  readonly #type: number;
  #name: Name;
  #id = 0;
  #attempt = 0;
  #sentMessages = 0;
  #transport: "udp" | "tcp";
  #deadlineMs = Infinity;
  /** Why the last message will not be answered, if that is known. */
  #reason = "";
  readonly #names: Name[] = [];
  readonly #records: DnsRecord[] = [];
  /** What told the alias that is followed. */
  #before: DnsMessage | undefined;

  /** Creates the question; `start` sends it. */
  constructor(options: StubQueryOptions) {
    this.#options = options;
    this.#type = options.type ?? RECORD_TYPES.A;
    this.#name = options.name;
    this.#transport = options.tcp === true ? "tcp" : "udp";
  }

  /** When to feed the next timeout. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** See {@linkcode Machine.handle}. */
  handle(input: StubInput, nowMs: number): StubOutput[] {
    switch (input.kind) {
      case "start":
        return this.#ask(nowMs);
      case "message":
        return this.#deadlineMs === Infinity
          ? []
          : this.#read(input.bytes, nowMs);
      case "disconnected":
        this.#reason = input.reason ?? "";
        // Over UDP the network may be there again for the next one; over TCP the wait is pointless
        return this.#deadlineMs === Infinity || this.#transport === "udp"
          ? []
          : this.#again(nowMs);
      case "timeout":
        return nowMs < this.#deadlineMs ? [] : this.#again(nowMs);
    }
  }

  #ask(nowMs: number): StubOutput[] {
    this.#attempt = 0;
    return this.#send(nowMs);
  }

  #send(nowMs: number): StubOutput[] {
    const { rng, timeoutMs = 1000 } = this.#options;
    this.#id = Math.floor(rng() * 65536);
    this.#deadlineMs = nowMs + timeoutMs * 2 ** this.#attempt;
    this.#attempt += 1;
    this.#reason = "";
    this.#sentMessages += 1;
    const bytes = encodeQuery({
      ...this.#options,
      id: this.#id,
      name: this.#name,
      type: this.#type,
    });
    return [{ kind: "send", transport: this.#transport, bytes }];
  }

  #again(nowMs: number): StubOutput[] {
    if (this.#attempt < (this.#options.attempts ?? 3)) {
      return this.#send(nowMs);
    }
    return this.#fail(
      "dns-no-answer",
      `no answer to ${counted(this.#attempt, "query", "queries")}${
        this.#reason === "" ? "" : ` (${this.#reason})`
      }`,
    );
  }

  #fail(code: string, rule: string, cause?: unknown): StubOutput[] {
    this.#deadlineMs = Infinity;
    const error = new ProtocolError(
      code,
      `Cannot look up ${displayName(this.#name)} (${
        typeName(this.#type)
      }): ${rule}`,
      { cause },
    );
    return [{ kind: "failed", error }];
  }

  #isOurs(message: DnsMessage): boolean {
    const question = message.questions[0];
    if (!message.isResponse || message.id !== this.#id) return false;
    // FORMERR, NOTIMP and the like may come without the question
    if (question === undefined) return message.rcode !== RCODES.NOERROR;
    return question.type === this.#type &&
      equalNames(question.name, this.#name);
  }

  #read(bytes: Uint8Array, nowMs: number): StubOutput[] {
    let message: DnsMessage;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Over UDP anybody may have sent it; keep waiting for the real one
      return this.#transport === "udp"
        ? []
        : this.#fail("dns-malformed", error.message, error);
    }
    if (!this.#isOurs(message)) return [];
    if (message.truncated && this.#transport === "udp") {
      this.#transport = "tcp";
      return this.#ask(nowMs);
    }
    return this.#take(message, nowMs);
  }

  #take(message: DnsMessage, nowMs: number): StubOutput[] {
    const { records, names } = followAliases(
      this.#name,
      this.#type,
      message.answers,
    );
    this.#records.push(...records);
    this.#names.push(...names.slice(this.#names.length === 0 ? 0 : 1));
    const target = names.at(-1);
    const isAlias = names.length > 1 &&
      records.at(-1)?.type === RECORD_TYPES.CNAME &&
      this.#type !== RECORD_TYPES.CNAME;
    const isOpen = isAlias && message.rcode === RCODES.NOERROR &&
      !message.authorities.some((record) => record.type === RECORD_TYPES.SOA);
    if (!isOpen || target === undefined || !this.#mayFollow()) {
      const before = isAnswer(message) ? undefined : this.#before;
      return before === undefined
        ? this.#finish(message)
        : this.#finish(before, rcodeName(message.rcode));
    }
    const circle = this.#names.find((name, at) =>
      this.#names.slice(0, at).some((other) => equalNames(other, name))
    );
    if (circle !== undefined) {
      return this.#fail(
        "dns-alias-loop",
        `the aliases of ${displayName(circle)} lead in a circle`,
      );
    }
    if (this.#names.length > MAX_ALIASES) {
      return this.#fail("dns-alias-loop", `more than ${MAX_ALIASES} aliases`);
    }
    this.#before = message;
    this.#name = target;
    this.#transport = this.#options.tcp === true ? "tcp" : "udp";
    return this.#ask(nowMs);
  }

  #mayFollow(): boolean {
    return this.#options.followAliases !== false;
  }

  #finish(message: DnsMessage, targetRcode?: string): StubOutput[] {
    this.#deadlineMs = Infinity;
    const records = this.#records;
    const isAddress = (record: DnsRecord) =>
      record.type === RECORD_TYPES.A || record.type === RECORD_TYPES.AAAA;
    const hasAnswer = records.at(-1)?.type === this.#type ||
      (records.length > 0 && this.#type === RECORD_TYPES.ANY);
    const ttls = records.map((record) => record.ttlSeconds);
    if (!hasAnswer) ttls.push(negativeTtlSeconds(message));
    return [{
      kind: "answered",
      answer: {
        rcode: rcodeName(message.rcode),
        ...(targetRcode === undefined ? {} : { targetRcode }),
        addresses: records.filter(isAddress).map((record) =>
          formatRdata(record.type, record.rdata)
        ),
        names: this.#names.map(displayName),
        records,
        ttlSeconds: Math.min(...ttls),
        message,
        transport: this.#transport,
        sentMessages: this.#sentMessages,
      },
    }];
  }
}
