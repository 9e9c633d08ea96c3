/** What a resolver tells its clients, made from what it found, and tells the class of it. */
import { type Cidr, formatCidr, formatHostPort } from "../../core/address.ts";
import type { RecursionEvent } from "../../events/recursion.ts";
import { rcodeName, RCODES, typeName } from "../codes.ts";
import { displayName } from "../name.ts";
import { formatRdata } from "../rdata.ts";
import type { ResolverCache } from "./cache.ts";
import type { ClientAnswer, ClientQuestion } from "./client.ts";
import { aliasTarget, type Finding } from "./reply.ts";
import type { StepTeller } from "./step.ts";

/** Aliases followed in the cache. */
const MAX_CACHED_ALIASES = 12;

/** A client that waits. */
export interface Waiting {
  readonly clientId: number;
  readonly question: ClientQuestion;
  readonly resolution: number;
  readonly sinceMs: number;
}

type Started = RecursionEvent & { readonly type: "recursion.started" };
type Finished = RecursionEvent & { readonly type: "recursion.finished" };

/** What the cache had for a question. */
export type CacheState = Started["cache"];

/** For whom and when a cache is asked. */
export interface CachedAbout {
  readonly client: Cidr | undefined;
  readonly nowMs: number;
  readonly mayBeStale: boolean;
}

/** How a client's question ends. */
export interface Ending {
  readonly answer: ClientAnswer;
  readonly source: Finished["source"];
  readonly reason?: string;
  readonly nowMs: number;
  /** The walk it took, if it took one. */
  readonly task?: { readonly walker: StepTeller };
}

/** Returns an answer that says only a code. */
export function failure(rcode: number): ClientAnswer {
  return { rcode, findings: [], scopeLength: 0 };
}

/** Returns the answer that findings make; the code is that of the last name (RFC 6604 §3). */
export function answerOf(
  findings: readonly Finding[],
  scopeLength: number,
): ClientAnswer {
  const rcode = findings.at(-1)?.set.kind === "no-such-name"
    ? RCODES.NXDOMAIN
    : RCODES.NOERROR;
  return { rcode, findings, scopeLength };
}

/** Returns what the cache says to a question, aliases followed; undefined if it does not say all. */
export function cachedAnswer(
  cache: ResolverCache,
  { name, type }: ClientQuestion,
  about: CachedAbout,
): ClientAnswer | undefined {
  const findings: Finding[] = [];
  let scopeLength = 0;
  let next = name;
  while (findings.length < MAX_CACHED_ALIASES) {
    const hit = cache.find(next, type, about);
    if (hit === undefined) return undefined;
    findings.push({ name: next, set: hit });
    scopeLength = Math.max(scopeLength, hit.scopeLength);
    const alias = hit.records[0];
    if (hit.kind !== "alias" || alias === undefined) {
      return answerOf(findings, scopeLength);
    }
    next = aliasTarget(alias);
  }
  return undefined;
}

/** Tells that a client has asked. A client that joins another's question takes that one's number and next step. */
export function startedEvent(
  { question, resolution }: Waiting,
  cache: CacheState,
  joined?: StepTeller,
): RecursionEvent {
  const { sender, name, type, clientSubnet } = question;
  return {
    type: "recursion.started",
    resolution: joined?.resolution ?? resolution,
    step: joined?.step ?? 1,
    remote: formatHostPort(sender),
    transport: sender.transport,
    question: displayName(name),
    recordType: typeName(type),
    clientSubnet: clientSubnet === undefined ||
        clientSubnet.bytes.length === 0
      ? ""
      : formatCidr({
        bytes: clientSubnet.bytes,
        prefixLength: clientSubnet.sourceLength,
      }),
    cache,
  };
}

/** Tells what a client is told. */
export function finishedEvent(
  { question, resolution, sinceMs }: Waiting,
  { answer, source, reason = "", nowMs, task }: Ending,
): RecursionEvent {
  const records = answer.findings.flatMap(({ set }) => set.records);
  const last = answer.findings.at(-1)?.set;
  const ttls = [...records, ...(last?.soa === undefined ? [] : [last.soa])]
    .map(({ ttlSeconds }) => ttlSeconds);
  return {
    type: "recursion.finished",
    resolution,
    step: task?.walker.step ?? 2,
    remote: formatHostPort(question.sender),
    question: displayName(question.name),
    recordType: typeName(question.type),
    rcode: rcodeName(answer.rcode),
    source,
    answers: (last?.kind === "answer" ? last.records : []).map((record) =>
      formatRdata(record.type, record.rdata)
    ),
    ttlSeconds: ttls.length === 0 ? 0 : Math.min(...ttls),
    sentMessages: task?.walker.sentMessages ?? 0,
    elapsedMs: nowMs - sinceMs,
    reason,
  };
}
