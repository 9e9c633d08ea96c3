/**
 * What an authority's reply means to a resolver that asked it as a server of one zone (RFC 1034 §5.3.3, RFC 2181 §5.4.1).
 *
 * A server is believed about names in its zone only, the bailiwick: whatever else it sends along is left out, or a
 * server of any small zone could say where the bank is. A referral must lead further down, towards the asked name, and
 * so cannot lead in circles.
 */
import { formatAddress } from "../../core/address.ts";
import { CLASSES, rcodeName, RCODES, RECORD_TYPES } from "../codes.ts";
import type { DnsMessage, DnsRecord } from "../message.ts";
import {
  displayName,
  equalNames,
  isWithin,
  type Name,
  readName,
} from "../name.ts";
import { formatRdata } from "../rdata.ts";
import {
  type CachedSet,
  MAX_NEGATIVE_TTL_SECONDS,
  MAX_TTL_SECONDS,
} from "./cache.ts";

/** A name server of a zone, and its addresses as far as the zone above told them (glue). */
export interface NameServer {
  readonly name: Name;
  /** Literal addresses. */
  readonly addresses: readonly string[];
  /** Where it listens, if it is known to be elsewhere than all others. */
  readonly port?: number;
}

/** Who answers for a zone. */
export interface Delegation {
  readonly zone: Name;
  readonly servers: readonly NameServer[];
  /** For how long the zone above says so. */
  readonly ttlSeconds: number;
}

/** One thing a reply says: a set of a name on the way from the asked name to the answer. */
export interface Finding {
  readonly name: Name;
  readonly set: CachedSet;
}

/** A reply understood. */
export type ReplyReading =
  | {
    readonly kind: "found";
    /** In order: aliases, then the answer or that there is none; the last may be an alias. At least one. */
    readonly findings: readonly Finding[];
    readonly outOfBailiwick: number;
  }
  | {
    readonly kind: "referral";
    readonly delegation: Delegation;
    readonly outOfBailiwick: number;
  }
  | {
    /** Another server of the zone may do better. */
    readonly kind: "lame";
    readonly reason: string;
    readonly outOfBailiwick: number;
  };

/** Name servers of one delegation that are taken notice of; more are nobody's need, and an amplifier (NXNS, 2020). */
const MAX_NAME_SERVERS = 13;
/** Addresses of one name server. */
const MAX_GLUE = 4;
/** Aliases within one reply. */
const MAX_LINKS = 16;

/** What was asked of whom. */
export interface Asked {
  readonly name: Name;
  readonly type: number;
  /** The zone the server was asked as a server of. */
  readonly zone: Name;
}

/** Returns the target of an alias. @throws {ProtocolError} If its data is no name. */
export function aliasTarget(record: DnsRecord): Name {
  return readName(record.rdata, 0).name;
}

/** Reads a reply, which must be one to the question; see the head of this file. */
export function readReply(message: DnsMessage, asked: Asked): ReplyReading {
  const isOurs = (record: DnsRecord) =>
    record.class === CLASSES.IN && isWithin(record.name, asked.zone);
  const all = [
    ...message.answers,
    ...message.authorities,
    ...message.additionals,
  ];
  const own = {
    answers: message.answers.filter(isOurs).map(notTooLong),
    authorities: message.authorities.filter(isOurs),
    additionals: message.additionals.filter(isOurs),
  };
  const outOfBailiwick = all.length - own.answers.length -
    own.authorities.length - own.additionals.length;
  const lame = (reason: string): ReplyReading => ({
    kind: "lame",
    reason,
    outOfBailiwick,
  });
  if (message.rcode !== RCODES.NOERROR && message.rcode !== RCODES.NXDOMAIN) {
    return lame(rcodeName(message.rcode));
  }
  const findings = linksOf(own.answers, asked);
  if (findings.length === 0 && message.rcode === RCODES.NOERROR) {
    const referral = referralOf(own, asked);
    if (referral !== undefined) {
      return { kind: "referral", delegation: referral, outOfBailiwick };
    }
  }
  // RFC 1034 §4.2: a server of the zone says so (AA); one that does not is none, or has only heard of it
  if (!message.authoritative) {
    return lame(
      own.authorities.some((record) => record.type === RECORD_TYPES.NS)
        ? "refers to where we come from"
        : "no authority for the zone",
    );
  }
  const negative = negativeOf(message, { own, findings, asked });
  const found = negative === undefined ? findings : [...findings, negative];
  return { kind: "found", findings: found, outOfBailiwick };
}

/** Clients are told no longer TTL than is believed (RFC 8767 §4). */
function notTooLong(record: DnsRecord): DnsRecord {
  return record.ttlSeconds <= MAX_TTL_SECONDS
    ? record
    : { ...record, ttlSeconds: MAX_TTL_SECONDS };
}

/** RFC 2181 §5.2: one set has one TTL; the least holds where a server says otherwise. */
function withOneTtl(records: readonly DnsRecord[]): readonly DnsRecord[] {
  const least = Math.min(...records.map((record) => record.ttlSeconds));
  return records.map((record) => ({ ...record, ttlSeconds: least }));
}

type Sections = Pick<DnsMessage, "answers" | "authorities" | "additionals">;

/** The aliases from the asked name on, as far as they stay in the zone, and the records they lead to. */
function linksOf(answers: readonly DnsRecord[], asked: Asked): Finding[] {
  const findings: Finding[] = [];
  let name = asked.name;
  while (findings.length < MAX_LINKS) {
    const own = answers.filter((record) => equalNames(record.name, name));
    const direct = own.filter((record) => record.type === asked.type);
    if (direct.length > 0) {
      const records = withOneTtl(direct);
      const set = { kind: "answer", records, soa: undefined } as const;
      return [...findings, { name, set }];
    }
    const alias = own.find((record) => record.type === RECORD_TYPES.CNAME);
    if (alias === undefined) break;
    const set = { kind: "alias", records: [alias], soa: undefined } as const;
    findings.push({ name, set });
    name = aliasTarget(alias);
    if (findings.some((finding) => equalNames(finding.name, name))) break;
  }
  return findings;
}

/** The delegation below the zone and towards the asked name, if the reply has one. */
function referralOf(
  { authorities, additionals }: Sections,
  { name, zone }: Asked,
): Delegation | undefined {
  const below = authorities.filter((record) =>
    record.type === RECORD_TYPES.NS && !equalNames(record.name, zone) &&
    isWithin(name, record.name)
  );
  const first = below[0];
  if (first === undefined) return undefined;
  const records = below.filter((record) => equalNames(record.name, first.name))
    .slice(0, MAX_NAME_SERVERS);
  const servers = records.map((record) => {
    const server = aliasTarget(record);
    const glue = additionals.filter((each) =>
      (each.type === RECORD_TYPES.A || each.type === RECORD_TYPES.AAAA) &&
      equalNames(each.name, server)
    );
    return {
      name: server,
      addresses: glue.slice(0, MAX_GLUE).map((each) =>
        formatAddress(each.rdata)
      ),
    };
  });
  const ttlSeconds = Math.min(...records.map((record) => record.ttlSeconds));
  return { zone: first.name, servers, ttlSeconds };
}

/** That there is no such name or no such record, about the name the aliases end at. */
function negativeOf(
  message: DnsMessage,
  { own, findings, asked }: {
    readonly own: Sections;
    readonly findings: readonly Finding[];
    readonly asked: Asked;
  },
): Finding | undefined {
  const last = findings.at(-1);
  if (last?.set.kind === "answer") return undefined;
  const link = last?.set.records[0];
  const name = link === undefined ? asked.name : aliasTarget(link);
  // About a name elsewhere this server has no say
  if (!isWithin(name, asked.zone)) return undefined;
  // RFC 4035 §3.1.4.1: nor about the DS of its own zone, where an alias may lead
  const isOwnDs = asked.type === RECORD_TYPES.DS &&
    equalNames(name, asked.zone);
  if (isOwnDs && last !== undefined) return undefined;
  const soa = own.authorities.find((record) =>
    record.type === RECORD_TYPES.SOA && isWithin(name, record.name)
  );
  // After an alias, nothing at all may only mean that the server did not follow it
  if (last !== undefined && soa === undefined) return undefined;
  const kind = message.rcode === RCODES.NXDOMAIN ? "no-such-name" : "no-data";
  return {
    name,
    set: {
      kind,
      records: [],
      soa: soa === undefined ? undefined : negativeSoa(soa),
    },
  };
}

/** RFC 2308 §5: its TTL is the lesser of its own and its last field. */
function negativeSoa(soa: DnsRecord): DnsRecord {
  const minimum = Number(formatRdata(soa.type, soa.rdata).split(" ").at(-1));
  return {
    ...soa,
    ttlSeconds: Math.min(soa.ttlSeconds, minimum, MAX_NEGATIVE_TTL_SECONDS),
  };
}

/** Returns a finding in words, for the class: addresses, a target, or what is not there. */
export function describeFinding({ name, set }: Finding): string {
  const data = set.records.map((record) =>
    formatRdata(record.type, record.rdata)
  );
  switch (set.kind) {
    case "answer":
      return data.join(", ");
    case "alias":
      return `${displayName(name)} is an alias of ${
        data.join().replace(/\.$/, "")
      }`;
    case "no-data":
      return `${displayName(name)} has no such record`;
    case "no-such-name":
      return `there is no ${displayName(name)}`;
  }
}
