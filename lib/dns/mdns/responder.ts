/**
 * Answers for one service on the link (RFC 6762): first it makes sure that nobody else has its name, then it announces
 * itself, then it answers whoever asks, and at the end it says goodbye.
 */
import { compareBytes, equalBytes } from "../../core/bytes.ts";
import { unlessBroken } from "../../core/errors.ts";
import type { Machine } from "../../core/machine.ts";
import type { Rng } from "../../core/rng.ts";
import { CLASSES, RECORD_TYPES } from "../codes.ts";
import {
  decodeMessage,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
} from "../message.ts";
import { equalNames } from "../name.ts";
import {
  ALL_TYPES,
  CACHE_FLUSH,
  hostName,
  instanceName,
  type LinkInput,
  MDNS_GROUP,
  mdnsMessage,
  nextLabel,
  ownRecords,
  pointerOf,
  type Service,
  SERVICE_TYPE,
  TTL_SECONDS,
  typeRecord,
  UNICAST_WANTED,
} from "./service.ts";

/** Three probes, this far apart (RFC 6762 §8.1). */
const PROBES = 3;
const PROBE_MS = 250;
/** Two announcements (§8.3), and no record more often than this (§6). */
const ANNOUNCEMENTS = 2;
const SECOND_MS = 1000;
/** Answers that others may give too wait 20 to 120 ms (§6); 400 to 500 if more known answers follow (§7.2). */
const SHARED_DELAY = { leastMs: 20, spreadMs: 100 };
const MORE_DELAY = { leastMs: 400, spreadMs: 100 };
/** After so many names that were taken the next number is drawn, each time from twice as many: a class has one name for all. */
const FEW_CONFLICTS = 3;
const MOST_DRAWN = 512;
/** After so many, one try each 5 s (§8.1). */
const MANY_CONFLICTS = 15;
const CONFLICT_PAUSE_MS = 5000;
/** Longest time to live in an answer to a resolver that knows no mDNS (§6.7). */
const PLAIN_TTL_SECONDS = 10;

/** What a service has to say, apart from its addresses. */
type Part = "types" | "pointer" | "own" | "addresses";

/** What the driver tells; after `stop` it sends what is left, and no more. */
export type ResponderInput = LinkInput | { readonly kind: "stop" };

/** A message without the addresses, which differ from interface to interface, and where they belong. */
export interface Unaddressed {
  readonly message: DnsMessage;
  readonly addressesIn: "answers" | "authorities" | "additionals" | null;
}

/** What the driver is to do. */
export type ResponderOutput =
  | ({ readonly kind: "send" } & Unaddressed)
  /** To one asker, who knows no mDNS. */
  | ({
    readonly kind: "reply";
    readonly to: { readonly host: string; readonly port: number };
  } & Unaddressed)
  /** The service is known by this name now. */
  | { readonly kind: "named"; readonly label: string };

/** See the head of this file. */
export class MdnsResponder implements Machine<ResponderInput, ResponderOutput> {
  #service: Service;
  readonly #rng: Rng;
  #phase: "idle" | "probing" | "announcing" | "settled" = "idle";
  #step = 0;
  #stepAtMs = Infinity;
  #conflicts = 0;
  /** What is owed to askers, and when. */
  readonly #owed = new Set<Part>();
  #answerAtMs = Infinity;
  readonly #sentAtMs = new Map<Part, number>();

  /** Creates a responder that is silent until it is told to start. */
  constructor(service: Service, rng: Rng) {
    this.#service = service;
    this.#rng = rng;
  }

  /** The service with the name it has now. */
  get service(): Service {
    return this.#service;
  }

  get deadlineMs(): number {
    return Math.min(this.#stepAtMs, this.#answerAtMs);
  }

  handle(input: ResponderInput, nowMs: number): ResponderOutput[] {
    switch (input.kind) {
      case "start":
        this.#probe(nowMs, this.#rng() * PROBE_MS);
        return [];
      case "stop":
        return this.#goodbye();
      case "datagram":
        return this.#heard(input, nowMs);
      case "timeout":
        return this.#wake(nowMs);
    }
  }

  #wake(nowMs: number): ResponderOutput[] {
    const outputs: ResponderOutput[] = [];
    if (nowMs >= this.#stepAtMs) outputs.push(...this.#next(nowMs));
    if (nowMs >= this.#answerAtMs) outputs.push(...this.#answer(nowMs));
    return outputs;
  }

  #probe(nowMs: number, afterMs: number): void {
    this.#phase = "probing";
    this.#step = 0;
    this.#stepAtMs = nowMs + afterMs;
    this.#owed.clear();
    this.#answerAtMs = Infinity;
  }

  /** The next probe or announcement. */
  #next(nowMs: number): ResponderOutput[] {
    this.#step += 1;
    if (this.#phase === "probing" && this.#step <= PROBES) {
      this.#stepAtMs = nowMs + PROBE_MS;
      return [this.#probing()];
    }
    const outputs: ResponderOutput[] = [];
    if (this.#phase === "probing") {
      this.#phase = "announcing";
      this.#step = 1;
      outputs.push({ kind: "named", label: this.#service.label });
    }
    if (this.#step < ANNOUNCEMENTS) this.#stepAtMs = nowMs + SECOND_MS;
    else {
      this.#stepAtMs = Infinity;
      this.#phase = "settled";
    }
    for (const part of ["pointer", "own", "addresses"] as const) {
      this.#owed.add(part);
    }
    return [...outputs, ...this.#answer(nowMs)];
  }

  #probing(): ResponderOutput {
    const ask = (name: DnsQuestion["name"]) => ({
      name,
      type: RECORD_TYPES.ANY,
      // Not UNICAST_WANTED: of those who share port 5353 at an address, the last to come would get the answer.
      class: CLASSES.IN,
    });
    const { label } = this.#service;
    return {
      kind: "send",
      message: mdnsMessage({
        questions: [ask(instanceName(label)), ask(hostName(this.#service))],
        authorities: ownRecords(this.#service).map(withoutFlush),
      }),
      addressesIn: "authorities",
    };
  }

  #heard(
    { bytes, from }: ResponderInput & { readonly kind: "datagram" },
    nowMs: number,
  ): ResponderOutput[] {
    const message = unlessBroken(() => decodeMessage(bytes));
    if (message === undefined) return [];
    if (
      this.#phase === "idle" || message.opcode !== 0 || message.rcode !== 0
    ) return [];
    if (!message.isResponse) return this.#asked(message, from, nowMs);
    if (from.port === MDNS_GROUP.port) this.#told(message, nowMs);
    return [];
  }

  /** Others' answers: one that is about our name, and not ours, takes the name from us. */
  #told(message: DnsMessage, nowMs: number): void {
    const records = [...message.answers, ...message.additionals];
    const [place] = ownRecords(this.#service);
    const taken = records.some(({ name, type, ttlSeconds, rdata }) =>
      type === RECORD_TYPES.SRV && ttlSeconds > 0 &&
      equalNames(name, place!.name) && !equalBytes(rdata, place!.rdata)
    );
    if (!taken) return;
    this.#conflicts += 1;
    const drawn = 2 ** Math.max(0, this.#conflicts - FEW_CONFLICTS);
    const step = 1 + Math.floor(this.#rng() * Math.min(drawn, MOST_DRAWN));
    const label = nextLabel(this.#service.label, step);
    this.#service = { ...this.#service, label };
    this.#probe(
      nowMs,
      this.#conflicts > MANY_CONFLICTS
        ? CONFLICT_PAUSE_MS
        : this.#rng() * PROBE_MS,
    );
  }

  #asked(
    message: DnsMessage,
    from: { readonly host: string; readonly port: number },
    nowMs: number,
  ): ResponderOutput[] {
    if (this.#phase === "probing") {
      if (this.#losesTo(message.authorities)) this.#probe(nowMs, SECOND_MS);
      return [];
    }
    const isProbe = message.authorities.length > 0;
    const wanted = new Set(message.questions.flatMap((q) => this.#partsOf(q)));
    const known = this.#isKnown(message.answers);
    if (known) wanted.delete("pointer");
    if (from.port !== MDNS_GROUP.port) {
      return wanted.size === 0 ? [] : [this.#plainReply(message, from, wanted)];
    }
    if (known) this.#owed.delete("pointer");
    for (const part of wanted) {
      const sentAtMs = this.#sentAtMs.get(part) ?? -Infinity;
      if (isProbe || nowMs - sentAtMs >= SECOND_MS) this.#owed.add(part);
    }
    if (this.#owed.size === 0) {
      this.#answerAtMs = Infinity;
      return [];
    }
    const isShared = this.#owed.has("pointer") || this.#owed.has("types");
    if (!isShared && !message.truncated) return this.#answer(nowMs);
    const { leastMs, spreadMs } = message.truncated ? MORE_DELAY : SHARED_DELAY;
    const atMs = nowMs + leastMs + spreadMs * this.#rng();
    this.#answerAtMs = message.truncated || this.#answerAtMs === Infinity
      ? atMs
      : this.#answerAtMs;
    return [];
  }

  /** Two that probe for one name at once: the one whose records are greater stays (RFC 6762 §8.2). */
  #losesTo(authorities: readonly DnsRecord[]): boolean {
    const name = instanceName(this.#service.label);
    const theirs = sorted(
      authorities.filter((record) => equalNames(record.name, name)),
    );
    if (theirs.length === 0) return false;
    const ours = sorted(ownRecords(this.#service));
    for (let at = 0; at < ours.length; at++) {
      const their = theirs[at];
      if (their === undefined) return false;
      const order = ours[at]!.type - their.type ||
        compareBytes(ours[at]!.rdata, their.rdata);
      if (order !== 0) return order < 0;
    }
    return theirs.length > ours.length;
  }

  /** Which parts answer a question. */
  #partsOf(question: DnsQuestion): readonly Part[] {
    const { name, type } = question;
    const isOf = (...types: readonly number[]) =>
      type === RECORD_TYPES.ANY || types.includes(type);
    const ofClass = question.class & ~UNICAST_WANTED;
    if (ofClass !== CLASSES.IN && ofClass !== CLASSES.ANY) return [];
    if (equalNames(name, SERVICE_TYPE)) {
      return isOf(RECORD_TYPES.PTR) ? ["pointer"] : [];
    }
    if (equalNames(name, ALL_TYPES)) {
      return isOf(RECORD_TYPES.PTR) ? ["types"] : [];
    }
    if (equalNames(name, instanceName(this.#service.label))) {
      return isOf(RECORD_TYPES.SRV, RECORD_TYPES.TXT) ? ["own"] : [];
    }
    return equalNames(name, hostName(this.#service)) &&
        isOf(RECORD_TYPES.A, RECORD_TYPES.AAAA)
      ? ["addresses"]
      : [];
  }

  /** Whether the asker knows our pointer, and will for a while (RFC 6762 §7.1). */
  #isKnown(answers: readonly DnsRecord[]): boolean {
    const pointer = pointerOf(this.#service);
    return answers.some(({ name, type, rdata, ttlSeconds }) =>
      type === pointer.type && equalNames(name, pointer.name) &&
      equalNames(rdata, pointer.rdata) && ttlSeconds >= TTL_SECONDS / 2
    );
  }

  /** Sends what is owed. */
  #answer(nowMs: number): ResponderOutput[] {
    this.#answerAtMs = Infinity;
    if (this.#owed.size === 0) return [];
    const parts = new Set(this.#owed);
    this.#owed.clear();
    for (const part of parts) this.#sentAtMs.set(part, nowMs);
    return [{ kind: "send", ...this.#written(parts) }];
  }

  #written(parts: ReadonlySet<Part>): Unaddressed {
    const { answers, additionals, addressesIn } = this.#records(parts);
    const message = mdnsMessage({ isResponse: true, answers, additionals });
    return { message, addressesIn };
  }

  #records(parts: ReadonlySet<Part>) {
    const service = this.#service;
    const answers: DnsRecord[] = [];
    if (parts.has("types")) answers.push(typeRecord());
    if (parts.has("pointer")) answers.push(pointerOf(service));
    if (parts.has("own")) answers.push(...ownRecords(service));
    // Who has the pointer will ask for the rest at once.
    const isMore = parts.has("pointer") && !parts.has("own");
    const addressesIn: Unaddressed["addressesIn"] = parts.has("addresses")
      ? "answers"
      : parts.has("pointer") || parts.has("own")
      ? "additionals"
      : null;
    return {
      answers,
      additionals: isMore ? ownRecords(service) : [],
      addressesIn,
    };
  }

  /** For `dig` and the like: with the question and the id, a short time to live, no bit of mDNS (RFC 6762 §6.7). */
  #plainReply(
    query: DnsMessage,
    to: { readonly host: string; readonly port: number },
    parts: ReadonlySet<Part>,
  ): ResponderOutput {
    const { message, addressesIn } = this.#written(parts);
    const plain = (record: DnsRecord) => ({
      ...withoutFlush(record),
      ttlSeconds: PLAIN_TTL_SECONDS,
    });
    return {
      kind: "reply",
      to,
      message: {
        ...message,
        id: query.id,
        questions: query.questions,
        answers: message.answers.map(plain),
        additionals: message.additionals.map(plain),
      },
      addressesIn,
    };
  }

  /** All records with a time to live of 0: they are not to be kept (RFC 6762 §10.1). */
  #goodbye(): ResponderOutput[] {
    const wasKnown = this.#phase === "announcing" || this.#phase === "settled";
    this.#phase = "idle";
    this.#stepAtMs = Infinity;
    this.#answerAtMs = Infinity;
    if (!wasKnown) return [];
    const records = [pointerOf(this.#service), ...ownRecords(this.#service)];
    const answers = records.map((record) => ({ ...record, ttlSeconds: 0 }));
    const message = mdnsMessage({ isResponse: true, answers });
    return [{ kind: "send", message, addressesIn: null }];
  }
}

/** In the order in which probes are compared. */
function sorted(records: readonly DnsRecord[]): DnsRecord[] {
  return records.map(withoutFlush).sort((a, b) =>
    a.class - b.class || a.type - b.type || compareBytes(a.rdata, b.rdata)
  );
}

/** The record as probes and plain resolvers get it. */
export function withoutFlush(record: DnsRecord): DnsRecord {
  return { ...record, class: record.class & ~CACHE_FLUSH };
}
