/**
 * The way from a question to its answer (RFC 1034 §5.3.3): from the closest zone whose servers are known, the root at
 * the least, down one referral after another, and from an alias on to its target.
 *
 * It is written as it is told, one step after the other: a generator that yields each message it wants sent and goes on
 * with what came of it. Every loop has a bound, since those who answer may be out for harm: a zone can name servers
 * whose addresses take more questions, which name others (NXNS, 2020), or lead in circles.
 */
import { type Cidr, maskAddress } from "../../core/address.ts";
import { type Rng, shuffled } from "../../core/rng.ts";
import { RCODES, RECORD_TYPES } from "../codes.ts";
import type { DnsMessage } from "../message.ts";
import {
  displayName,
  equalNames,
  isWithin,
  labelCount,
  type Name,
  parentName,
} from "../name.ts";
import { formatRdata } from "../rdata.ts";
import type { ResolverCache } from "./cache.ts";
import type { DelegationTable } from "./delegations.ts";
import { Exchange } from "./exchange.ts";
import {
  aliasTarget,
  type Asked,
  type Delegation,
  describeFinding,
  type Finding,
  type NameServer,
  readReply,
  type ReplyReading,
} from "./reply.ts";
import type { ServerAddress, ServerTable } from "./servers.ts";
import { Step, type StepTeller } from "./step.ts";

/** Aliases followed for one question. */
const MAX_ALIASES = 12;
/** Messages sent for one question, with all it takes to find the servers' addresses. */
export const MAX_MESSAGES = 60;
/** A server's address that takes the address of another server, and so on. */
const MAX_DEPTH = 4;
/** Names of a zone's servers that are looked up because they came without an address. */
const MAX_LOOKED_UP_SERVERS = 3;
const MAX_TRIES_PER_SERVER = 3;
const MAX_TRIES_PER_ZONE = 8;
/** Over UDP, again without EDNS, over TCP. */
const MAX_ROUNDS = 3;
/** RFC 7871 §11.1: the root and the top-level domains need not know who asks. */
const MIN_ZONE_LABELS_FOR_SUBNET = 2;

/** What a walk wants: this sent, and to be told what came of it. */
export interface Wish {
  readonly exchange: Exchange;
  readonly waitMs: number;
}

/** What came of it. `distrusted`: somebody answers who should not, or the server does not keep the case; TCP tells. */
export type Outcome =
  | { readonly kind: "message"; readonly message: DnsMessage }
  | { readonly kind: "timeout" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "distrusted" };

/** What a walk found. */
export type Resolved =
  | {
    readonly kind: "resolved";
    readonly findings: readonly Finding[];
    /** For how many bits of the client's address all of it holds. */
    readonly scopeLength: number;
  }
  | { readonly kind: "failed"; readonly reason: string };

/** What a walk knows and may use. */
export interface Walker extends StepTeller {
  readonly cache: ResolverCache;
  readonly delegations: DelegationTable;
  readonly servers: ServerTable;
  readonly rng: Rng;
  /** Draws ids and capitals. */
  readonly secretRng: Rng;
  /** When the question came. */
  readonly sinceMs: number;
  /** Where authorities listen. */
  readonly port: number;
  /** 0x20. */
  readonly mixesCase: boolean;
  /** Whose answer is looked for, if that is told to authorities. */
  readonly client: Cidr | undefined;
}

type Walk<T> = Generator<Wish, T, Outcome>;

interface Candidate extends ServerAddress {
  readonly name: Name;
  tries: number;
}

function failed(reason: string): Resolved {
  return { kind: "failed", reason };
}

/** Looks for the records of a name; `depth` counts the servers whose address it takes. */
export function* resolve(
  walker: Walker,
  question: { readonly name: Name; readonly type: number },
  depth = 0,
): Walk<Resolved> {
  const { type } = question;
  const client = depth === 0 ? walker.client : undefined;
  const findings: Finding[] = [];
  let scopeLength = 0;
  let name = question.name;
  while (findings.length <= MAX_ALIASES) {
    const about = { client, nowMs: walker.nowMs };
    const hit = walker.cache.find(name, type, about);
    const found: Resolved = hit !== undefined
      ? {
        kind: "resolved",
        findings: [{ name, set: hit }],
        scopeLength: hit.scopeLength,
      }
      : yield* descend(walker, { name, type }, depth);
    if (found.kind === "failed") return found;
    findings.push(...found.findings);
    scopeLength = Math.max(scopeLength, found.scopeLength);
    const alias = findings.at(-1)?.set;
    if (alias?.kind !== "alias" || alias.records[0] === undefined) {
      return { kind: "resolved", findings, scopeLength };
    }
    name = aliasTarget(alias.records[0]);
    if (findings.some((finding) => equalNames(finding.name, name))) {
      return failed(`the aliases of ${displayName(name)} lead in a circle`);
    }
  }
  return failed(`more than ${MAX_ALIASES} aliases`);
}

/** Follows referrals down to the zone of a name. */
function* descend(
  walker: Walker,
  { name, type }: { readonly name: Name; readonly type: number },
  depth: number,
): Walk<Resolved> {
  // RFC 4035 §3.1.4.1: DS is asked of the zone above
  const from = type === RECORD_TYPES.DS ? parentName(name) as Name : name;
  let delegation = walker.delegations.closest(from, walker.nowMs);
  let isRemembered = (delegation.zone[0] ?? 0) !== 0;
  for (;;) {
    const asked = { name, type, zone: delegation.zone };
    const reading = yield* askZone(walker, delegation, { asked, depth });
    if (reading.kind === "found") return reading.resolved;
    if (reading.kind === "referral") {
      delegation = reading.delegation;
      walker.delegations.put(delegation, walker.nowMs);
    } else if (isRemembered) {
      // what we remember of the zone may be out of date; those above know better
      isRemembered = false;
      walker.delegations.delete(delegation.zone);
      delegation = walker.delegations.closest(from, walker.nowMs);
    } else return failed(reading.reason);
  }
}

type Reading =
  | Exclude<ReplyReading, { kind: "found" }>
  | { readonly kind: "found"; readonly resolved: Resolved };

/** Asks the servers of a zone, the quickest first, until one gives an answer to go on with. */
function* askZone(
  walker: Walker,
  delegation: Delegation,
  { asked, depth }: { readonly asked: Asked; readonly depth: number },
): Walk<Reading> {
  const candidates = delegation.servers.flatMap((server) =>
    candidatesOf(server, server.addresses, walker.port)
  );
  const unknown = shuffled(
    delegation.servers.filter(({ name, addresses }) =>
      // a server inside the zone that nobody told the address of cannot be found by asking it
      addresses.length === 0 && !isWithin(name, delegation.zone)
    ),
    walker.rng,
  ).slice(0, MAX_LOOKED_UP_SERVERS);
  const isRoot = (delegation.zone[0] ?? 0) === 0;
  const called = isRoot ? "the root" : displayName(delegation.zone);
  let reason = `no server of ${called} has an address`;
  for (let count = 0; count < MAX_TRIES_PER_ZONE; count++) {
    let left = candidates.filter(({ tries }) => tries < MAX_TRIES_PER_SERVER);
    while (left.length === 0 && unknown.length > 0) {
      const server = unknown.pop() as NameServer;
      left = yield* lookUpServer(walker, server, depth);
      candidates.push(...left);
    }
    const server = walker.servers.pick(left, {
      zone: delegation.zone,
      nowMs: walker.nowMs,
      sinceMs: walker.sinceMs,
    });
    if (server === undefined) {
      if (left.length > 0) reason = `no server of ${called} answers lately`;
      break;
    }
    if (walker.sentMessages >= MAX_MESSAGES) {
      reason = `no answer after ${MAX_MESSAGES} messages`;
      break;
    }
    const reading = yield* askServer(walker, server, { asked, depth });
    if (reading.kind !== "lame") return reading;
    if (reading.reason === NO_ANSWER) server.tries += 1;
    else {
      server.tries = Infinity;
      const { zone } = delegation;
      walker.servers.lame(server, { zone, nowMs: walker.nowMs });
    }
    reason = `the servers of ${called}: ${reading.reason}`;
  }
  return { kind: "lame", reason, outOfBailiwick: 0 };
}

function candidatesOf(
  { name, port }: NameServer,
  addresses: readonly string[],
  usualPort: number,
): Candidate[] {
  return addresses.map((host) => ({
    name,
    host,
    port: port ?? usualPort,
    tries: 0,
  }));
}

function* lookUpServer(
  walker: Walker,
  server: NameServer,
  depth: number,
): Walk<Candidate[]> {
  if (depth >= MAX_DEPTH) return [];
  for (const type of [RECORD_TYPES.A, RECORD_TYPES.AAAA]) {
    const question = { name: server.name, type };
    const found = yield* resolve(walker, question, depth + 1);
    if (found.kind === "failed") break;
    const set = found.findings.at(-1)?.set;
    if (set?.kind !== "answer") continue;
    const addresses = set.records.map((record) =>
      formatRdata(record.type, record.rdata)
    );
    return candidatesOf(server, addresses, walker.port);
  }
  return [];
}

const NO_ANSWER = "no answer";
const CUT_OFF = "cut off, though over TCP";

/** Asks one server; over TCP if its answer is too long or not to be trusted, and without EDNS if it does not know that. */
function* askServer(
  walker: Walker,
  server: Candidate,
  { asked, depth }: { readonly asked: Asked; readonly depth: number },
): Walk<Reading> {
  let transport: "udp" | "tcp" = "udp";
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const edns = walker.servers.hasEdns(server);
    const mayTell = edns && depth === 0 &&
      labelCount(asked.zone) >= MIN_ZONE_LABELS_FOR_SUBNET;
    const subnet = mayTell ? walker.client : undefined;
    const isUntold = mayTell && subnet === undefined;
    const exchange = new Exchange({
      ...asked,
      server,
      transport,
      edns,
      clientSubnet: subnet,
      mixesCase: walker.mixesCase && transport === "udp",
      rng: walker.secretRng,
    });
    const step = new Step(walker, { server, asked, transport, subnet });
    const outcome: Outcome = yield {
      exchange,
      waitMs: walker.servers.waitMs(server),
    };
    if (outcome.kind === "timeout" || outcome.kind === "disconnected") {
      walker.servers.failed(server, walker.nowMs);
      step.tell(
        "no-answer",
        outcome.kind === "timeout" ? "in time" : "as nobody listens",
      );
      return { kind: "lame", reason: NO_ANSWER, outOfBailiwick: 0 };
    }
    walker.servers.answered(server, step.elapsedMs);
    if (outcome.kind === "distrusted") {
      step.tell("truncated", "an odd reply; ask over TCP, where nobody forges");
      transport = "tcp";
    } else if (outcome.message.truncated && transport === "udp") {
      step.tell("truncated", "too long for UDP; ask over TCP");
      transport = "tcp";
    } else if (outcome.message.truncated) {
      // what is missing would be taken for what is not there
      step.tell("lame", CUT_OFF);
      return { kind: "lame", reason: CUT_OFF, outOfBailiwick: 0 };
    } else if (edns && knowsNoEdns(outcome.message)) {
      step.tell("no-edns", "ask without EDNS");
      walker.servers.hasNoEdns(server);
    } else {
      return understand(walker, outcome.message, {
        ...{ asked, subnet, isUntold, step },
      });
    }
  }
  return { kind: "lame", reason: "no whole answer", outOfBailiwick: 0 };
}

/** RFC 6891 §7: who does not know EDNS says FORMERR or NOTIMP, and has no OPT record in that. */
function knowsNoEdns({ rcode, edns }: DnsMessage): boolean {
  return edns === undefined &&
    (rcode === RCODES.FORMERR || rcode === RCODES.NOTIMP);
}

/** Reads an answer, tells of it and remembers what it says. */
function understand(
  walker: Walker,
  message: DnsMessage,
  { asked, subnet, isUntold, step }: {
    readonly asked: Asked;
    readonly subnet: Cidr | undefined;
    /** The client's network would have been told, if it were to be. */
    readonly isUntold: boolean;
    readonly step: Step;
  },
): Reading {
  const network = networkOf(message, subnet);
  if (network === "another") {
    step.tell("lame", "answers for another network than asked");
    return { kind: "lame", reason: "another network", outOfBailiwick: 0 };
  }
  const reading = readReply(message, asked);
  const { outOfBailiwick } = reading;
  if (reading.kind === "lame") {
    step.tell("lame", reading.reason, outOfBailiwick);
    return reading;
  }
  if (reading.kind === "referral") {
    const { zone, servers } = reading.delegation;
    const called = servers.map(({ name, addresses }) =>
      `${displayName(name)}${
        addresses.length === 0 ? "" : ` (${addresses.join(", ")})`
      }`
    );
    const detail = `${displayName(zone)} is at ${called.join(", ")}`;
    step.tell("referral", detail, outOfBailiwick);
    return reading;
  }
  const { findings } = reading;
  const last = findings.at(-1);
  step.tell(
    resultOf(last),
    findings.map(describeFinding).join("; "),
    outOfBailiwick,
  );
  // RFC 7871 §7.3.1: what was chosen for us is not for clients who say where they are
  const audience = isUntold ? "untold" : network;
  for (const { name, set } of findings) {
    const type = set.kind === "alias" ? RECORD_TYPES.CNAME : asked.type;
    walker.cache.put(name, type, { set, audience, nowMs: walker.nowMs });
  }
  return {
    kind: "found",
    resolved: {
      kind: "resolved",
      findings,
      scopeLength: network?.prefixLength ?? 0,
    },
  };
}

function resultOf(finding: Finding | undefined) {
  return finding?.set.kind ?? "no-data";
}

/** For which network an answer holds: undefined is everybody (RFC 7871 §7.3.1). */
function networkOf(
  { edns }: DnsMessage,
  asked: Cidr | undefined,
): Cidr | undefined | "another" {
  const told = edns?.clientSubnet;
  if (asked === undefined || told === undefined) return undefined;
  const { bytes, prefixLength } = asked;
  if (
    told.sourceLength !== prefixLength || told.bytes.length !== bytes.length ||
    told.bytes.some((byte, at) => byte !== bytes[at])
  ) return "another";
  const scope = Math.min(told.scopeLength, prefixLength);
  return scope === 0
    ? undefined
    : { bytes: maskAddress(bytes, scope), prefixLength: scope };
}
