/**
 * The way from a question to its answer (RFC 1034 §5.3.3): from the closest zone whose servers are known, the root at
 * the least, down one referral after another, and from an alias on to its target.
 *
 * It is written as it is told, one step after the other: a generator that yields each message it wants sent and goes on
 * with what came of it. Every loop has a bound, since those who answer may be out for harm: a zone can name servers
 * whose addresses take more questions, which name others (NXNS, 2020), or lead in circles.
 */
import { shuffled } from "../../core/rng.ts";
import { RECORD_TYPES } from "../codes.ts";
import {
  displayName,
  equalNames,
  isWithin,
  type Name,
  parentName,
} from "../name.ts";
import { formatRdata } from "../rdata.ts";
import { askServer, NO_ANSWER } from "./ask_server.ts";
import {
  aliasTarget,
  type Asked,
  type Delegation,
  type Finding,
  type NameServer,
} from "./reply.ts";
import type { ServerAddress } from "./servers.ts";
import type { Reading, Resolved, Walk, Walker } from "./walker.ts";

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
      // What we remember of the zone may be out of date; those above know better
      isRemembered = false;
      walker.delegations.delete(delegation.zone);
      delegation = walker.delegations.closest(from, walker.nowMs);
    } else return failed(reading.reason);
  }
}

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
      // A server inside the zone that nobody told the address of cannot be found by asking it
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
