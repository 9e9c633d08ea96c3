/** The talk with one server: which transport, whether with EDNS, and what becomes of its answer. */
import { type Cidr, maskAddress } from "../../core/address.ts";
import { RCODES, RECORD_TYPES } from "../codes.ts";
import type { DnsMessage } from "../message.ts";
import { displayName, labelCount, type Name } from "../name.ts";
import { Exchange } from "./exchange.ts";
import {
  type Asked,
  describeFinding,
  type Finding,
  readReply,
} from "./reply.ts";
import type { ServerAddress } from "./servers.ts";
import { Step } from "./step.ts";
import type { Outcome, Reading, Walk, Walker } from "./walker.ts";

/** Over UDP, again without EDNS, over TCP. */
const MAX_ROUNDS = 3;
/** RFC 7871 §11.1: the root and the top-level domains need not know who asks. */
const MIN_ZONE_LABELS_FOR_SUBNET = 2;

/** Why a server is lame that may answer yet, if it is asked again. */
export const NO_ANSWER = "no answer";
const CUT_OFF = "cut off, though over TCP";

/** Asks one server; over TCP if its answer is too long or not to be trusted, and without EDNS if it does not know that. */
export function* askServer(
  walker: Walker,
  server: ServerAddress & { readonly name: Name },
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
      // What is missing would be taken for what is not there
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
