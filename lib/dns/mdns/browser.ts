/**
 * Finds the services of our type on the link, and keeps the list (RFC 6762 §5.2, RFC 6763 §4): asks now and again, hears
 * what is announced, and forgets who said goodbye or has not been heard of for the time its records hold.
 */
import { formatAddress, isIpv6 } from "../../core/address.ts";
import { unlessBroken } from "../../core/errors.ts";
import type { Machine } from "../../core/machine.ts";
import { CLASSES, RECORD_TYPES } from "../codes.ts";
import {
  decodeMessage,
  type DnsQuestion,
  type DnsRecord,
  encodeMessage,
} from "../message.ts";
import { displayName, equalNames, type Name } from "../name.ts";
import {
  instanceName,
  labelOf,
  type LinkInput,
  MDNS_GROUP,
  mdnsMessage,
  readPlace,
  readTexts,
  SERVICE_TYPE,
  TTL_SECONDS,
} from "./service.ts";

/** When the first question goes out, and how long until the second; each wait is twice the one before (RFC 6762 §5.2). */
const FIRST_MS = 20;
const SECOND_MS = 1000;
/** Records are asked for again before they end. */
const LONGEST_MS = TTL_SECONDS * 1000 / 2;
/** Most services kept, and addresses of each: more are the work of somebody who floods. */
const MAX_SERVICES = 1000;
const MAX_ADDRESSES = 16;
/** What said goodbye is kept for this long, in case of a mistake (RFC 6762 §10.1). */
const GOODBYE_MS = 1000;

/** The time to live that RFC 6762 §10 recommends; longer ones count as this. */
const MAX_TTL_SECONDS = 4500;

/** A service that was found. */
export interface FoundService {
  readonly label: string;
  readonly port: number;
  /** As text; IPv4 first. */
  readonly addresses: readonly string[];
  /** See `Service.texts`. */
  readonly texts: ReadonlyMap<string, string>;
  /** Where the messages with these texts came from: `addresses` may be anybody's. */
  readonly tellers: readonly string[];
}

/** What the driver is to do. */
export type BrowserOutput =
  | { readonly kind: "send"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** New, or something of it is. */
  | { readonly kind: "found"; readonly service: FoundService }
  | { readonly kind: "lost"; readonly label: string };

interface Entry {
  readonly label: string;
  /** `host` as a key of the addresses. */
  place: { readonly port: number; readonly host: string } | undefined;
  texts: ReadonlyMap<string, string> | undefined;
  readonly tellers: Set<string>;
  endsAtMs: number;
  /** What was told of it last. */
  told: string;
}

/** See the head of this file. */
export class MdnsBrowser implements Machine<LinkInput, BrowserOutput> {
  readonly #entries = new Map<string, Entry>();
  /** Of each host name, in lower case. */
  readonly #addresses = new Map<string, Set<string>>();
  #askAtMs = Infinity;
  #waitMs = SECOND_MS;

  get deadlineMs(): number {
    let deadlineMs = this.#askAtMs;
    for (const { endsAtMs } of this.#entries.values()) {
      deadlineMs = Math.min(deadlineMs, endsAtMs);
    }
    return deadlineMs;
  }

  /** All that is known, by name. */
  get services(): readonly FoundService[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const found = this.#foundOf(entry);
      return found === undefined ? [] : [found];
    }).sort((a, b) => a.label < b.label ? -1 : a.label > b.label ? 1 : 0);
  }

  handle(input: LinkInput, nowMs: number): BrowserOutput[] {
    switch (input.kind) {
      case "start":
        this.#askAtMs = nowMs + FIRST_MS;
        this.#waitMs = SECOND_MS;
        return [];
      case "datagram":
        return this.#heard(input, nowMs);
      case "timeout":
        return [...this.#expire(nowMs), ...this.#ask(nowMs)];
    }
  }

  #ask(nowMs: number): BrowserOutput[] {
    if (nowMs < this.#askAtMs) return [];
    this.#askAtMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_MS);
    const about = (name: Name, type: number): DnsQuestion => ({
      ...{ name, type, class: CLASSES.IN },
    });
    const questions = [about(SERVICE_TYPE, RECORD_TYPES.PTR)];
    const answers: DnsRecord[] = [];
    for (const { label, place, texts, endsAtMs } of this.#entries.values()) {
      const name = instanceName(label);
      const leftSeconds = Math.floor((endsAtMs - nowMs) / 1000);
      if (place === undefined || texts === undefined) {
        questions.push(about(name, RECORD_TYPES.ANY));
      } else if (leftSeconds > LONGEST_MS / 1000) {
        answers.push({
          ...about(SERVICE_TYPE, RECORD_TYPES.PTR),
          ...{ ttlSeconds: leftSeconds, rdata: name },
        });
      }
    }
    // What does not fit a datagram goes without: it will be told once more.
    const most = { questions: 20, answers: 15 };
    const message = mdnsMessage({
      questions: questions.slice(0, most.questions),
      answers: answers.slice(0, most.answers),
    });
    return [{ kind: "send", bytes: encodeMessage(message) }];
  }

  #heard(
    { bytes, from }: LinkInput & { readonly kind: "datagram" },
    nowMs: number,
  ): BrowserOutput[] {
    if (from.port !== MDNS_GROUP.port) return [];
    const message = unlessBroken(() => decodeMessage(bytes));
    if (message === undefined) return [];
    if (!message.isResponse || message.opcode !== 0) return [];
    const records = [...message.answers, ...message.additionals];
    // Only what this is about is looked at again: who floods us may have made a thousand entries.
    const changed = new Set<Entry>();
    for (const record of records) {
      const entry = this.#take(record, from.host, nowMs);
      if (entry !== undefined) changed.add(entry);
    }
    for (const record of records) {
      for (const entry of this.#takeAddress(record)) changed.add(entry);
    }
    return this.#changes(changed);
  }

  #take(
    record: DnsRecord,
    teller: string,
    nowMs: number,
  ): Entry | undefined {
    const { name, type, ttlSeconds, rdata } = record;
    const isPointer = type === RECORD_TYPES.PTR &&
      equalNames(name, SERVICE_TYPE);
    const label = labelOf(isPointer ? rdata : name);
    if (label === undefined) return undefined;
    const entry = this.#entryOf(label, ttlSeconds > 0);
    if (entry === undefined) return undefined;
    // A goodbye counts if nothing comes after it.
    const holdsMs = ttlSeconds > 0
      ? 1000 * Math.min(ttlSeconds, MAX_TTL_SECONDS)
      : GOODBYE_MS;
    if (isPointer || ttlSeconds > 0) entry.endsAtMs = nowMs + holdsMs;
    if (ttlSeconds === 0) return undefined;
    if (type === RECORD_TYPES.SRV) {
      const before = entry.place?.host;
      const place = readPlace(rdata);
      entry.place = place &&
        { port: place.port, host: displayName(place.host) };
      if (before !== undefined) this.#forget(before);
    }
    if (type === RECORD_TYPES.TXT) takeTexts(entry, readTexts(rdata), teller);
    return entry;
  }

  #entryOf(label: string, isThere: boolean): Entry | undefined {
    const key = label.toLowerCase();
    let entry = this.#entries.get(key);
    if (
      entry === undefined && isThere && this.#entries.size < MAX_SERVICES
    ) {
      entry = {
        ...{ label, place: undefined, texts: undefined, tellers: new Set() },
        ...{ endsAtMs: Infinity, told: "" },
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** Addresses count for hosts that a service is at. Returns the services at that host. */
  #takeAddress(record: DnsRecord): readonly Entry[] {
    const { name, type, rdata, ttlSeconds } = record;
    if (type !== RECORD_TYPES.A && type !== RECORD_TYPES.AAAA) return [];
    const host = displayName(name);
    const there = this.#at(host);
    if (there.length === 0 || ttlSeconds === 0) return [];
    let addresses = this.#addresses.get(host);
    if (addresses === undefined) {
      this.#addresses.set(host, addresses = new Set());
    }
    // A host with several interfaces sends on each the address of that one: they add up, whatever the flush bit says.
    if (addresses.size < MAX_ADDRESSES) addresses.add(formatAddress(rdata));
    return there;
  }

  #at(host: string): readonly Entry[] {
    const there: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.place?.host === host) there.push(entry);
    }
    return there;
  }

  /** What of these is complete now, and has not been told so. */
  #changes(entries: Iterable<Entry>): BrowserOutput[] {
    const outputs: BrowserOutput[] = [];
    for (const entry of entries) {
      const service = this.#foundOf(entry);
      if (service === undefined) continue;
      const { port, addresses, texts, tellers } = service;
      const told = JSON.stringify([port, addresses, [...texts], tellers]);
      if (told === entry.told) continue;
      entry.told = told;
      outputs.push({ kind: "found", service });
    }
    return outputs;
  }

  #foundOf({ label, place, texts, tellers }: Entry): FoundService | undefined {
    if (place === undefined || texts === undefined) return undefined;
    const addresses = [...this.#addresses.get(place.host) ?? []];
    const order = (host: string) => Number(isIpv6(host));
    addresses.sort((a, b) => order(a) - order(b));
    const { port } = place;
    return { label, port, addresses, texts, tellers: [...tellers] };
  }

  #expire(nowMs: number): BrowserOutput[] {
    const outputs: BrowserOutput[] = [];
    for (const [key, entry] of this.#entries) {
      if (nowMs < entry.endsAtMs) continue;
      this.#entries.delete(key);
      if (entry.place !== undefined) this.#forget(entry.place.host);
      if (entry.told !== "") outputs.push({ kind: "lost", label: entry.label });
    }
    return outputs;
  }

  #forget(host: string): void {
    if (this.#at(host).length === 0) this.#addresses.delete(host);
  }
}

/** What somebody else says does not count as said by who said something before. */
function takeTexts(
  entry: Entry,
  texts: ReadonlyMap<string, string>,
  teller: string,
): void {
  const { tellers, texts: before = new Map<string, string>() } = entry;
  const isSame = before.size === texts.size &&
    [...texts].every(([key, value]) => before.get(key) === value);
  if (!isSame) tellers.clear();
  entry.texts = texts;
  if (tellers.size < MAX_ADDRESSES) tellers.add(teller);
}
