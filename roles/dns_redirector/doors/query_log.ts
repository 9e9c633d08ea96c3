import {
  formatAddress,
  formatCidr,
  formatHostPort,
} from "../../../lib/core/address.ts";
import { rcodeName, RCODES, typeName } from "../../../lib/dns/codes.ts";
import { displayName } from "../../../lib/dns/name.ts";
import type { Reply } from "../../../lib/dns/authority/responder.ts";
import type { Choice } from "../../../lib/dns/authority/choice.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** So many queries a second are told one by one: a class can read them. The rest is counted. */
const TOLD_PER_SECOND = 50;
/** So many after a second with more than those: nobody can read along then, and each takes as long as ten answers, for which others wait. */
const TOLD_WHEN_BUSY = 10;
const WINDOW_MS = 1000;

/** Who sent a message. */
export interface Sender {
  /** 4 bytes or 16. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly transport: "udp" | "tcp";
}

interface Counts {
  queries: number;
  redirected: number;
  refused: number;
  dropped: number;
  limited: number;
  disconnected: number;
}

const NOTHING: Counts = {
  queries: 0,
  redirected: 0,
  refused: 0,
  dropped: 0,
  limited: 0,
  disconnected: 0,
};

/** Makes events of answers, without slowing the answers down: nothing is formatted for a query that is only counted. */
export class QueryLog {
  readonly #ctx: RoleContext;
  #windowStartMs: number;
  /** Queries of this second. */
  #seen = 0;
  #mayBeTold = TOLD_PER_SECOND;
  #toldEnds = 0;
  #isCounting = false;
  #counts = { ...NOTHING };

  constructor(ctx: RoleContext) {
    this.#ctx = ctx;
    this.#windowStartMs = ctx.clock.nowMs();
  }

  /** Notes an answer, or that there was none. */
  note(
    query: Uint8Array,
    reply: Reply | undefined,
    from: Sender,
  ): void {
    if (this.#mayTell()) {
      if (reply === undefined) this.#tellDropped(query, from);
      else if (reply.nameEnd === 0) this.#tellMalformed(reply, from);
      else this.#tell(query, reply, from);
      return;
    }
    const counts = this.#counts;
    counts.queries += 1;
    if (reply === undefined) counts.dropped += 1;
    else if (reply.fate !== "sent") counts.limited += 1;
    else if (reply.choice !== undefined) counts.redirected += 1;
    else if (reply.rcode !== RCODES.NOERROR) counts.refused += 1;
  }

  /** Tells of a connection that ended otherwise than by its client; has a limit of its own, so that queries do not hide it. */
  noteEnd(event: RolecallEvent): void {
    this.#roll();
    this.#toldEnds += 1;
    if (this.#toldEnds <= TOLD_PER_SECOND) this.#ctx.emit(event);
    else {
      this.#count();
      this.#counts.disconnected += 1;
    }
  }

  /** Says what was only counted so far. */
  flush(): void {
    if (!this.#isCounting) return;
    this.#isCounting = false;
    this.#ctx.emit({
      type: "queries.counted",
      ...this.#counts,
      intervalMs: this.#ctx.clock.nowMs() - this.#windowStartMs,
    });
    this.#counts = { ...NOTHING };
  }

  /** Whether there is room for one more event in this second; if not, a count will follow. */
  #mayTell(): boolean {
    // While it is counting, a timer ends the second: the clock need not be asked for each query.
    if (!this.#isCounting) this.#roll();
    this.#seen += 1;
    if (this.#seen <= this.#mayBeTold) return true;
    this.#count();
    return false;
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#countLater();
  }

  #roll(): void {
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs - this.#windowStartMs < WINDOW_MS) return;
    this.flush();
    this.#windowStartMs = nowMs;
    this.#mayBeTold = this.#seen > TOLD_PER_SECOND
      ? TOLD_WHEN_BUSY
      : TOLD_PER_SECOND;
    this.#seen = 0;
    this.#toldEnds = 0;
  }

  /** A burst may be the last for a while; its count is told all the same. */
  #countLater(): void {
    const { clock, signal } = this.#ctx;
    clock.sleepUntil(this.#windowStartMs + WINDOW_MS, signal)
      .then(() => this.#roll(), () => {});
  }

  #tellDropped(query: Uint8Array, from: Sender): void {
    this.#ctx.emit({
      type: "protocol.violated",
      remote: senderOf(from),
      code: query.length < 12 ? "dns-truncated" : "dns-not-a-query",
      message: query.length < 12
        ? `Cannot read a query: its head has 12 bytes, got ${query.length}`
        : "Cannot answer: it is an answer itself (QR is set)",
    });
  }

  #tellMalformed(reply: Reply, from: Sender): void {
    const rcode = rcodeName(reply.rcode);
    this.#ctx.emit({
      type: "protocol.violated",
      remote: senderOf(from),
      code: rcode === "NOTIMP" ? "dns-not-implemented" : "dns-malformed",
      message: `Cannot answer: ${
        rcode === "NOTIMP"
          ? "only the opcode QUERY is known"
          : "there is not one whole question in it"
      }; said ${rcode}`,
    });
  }

  #tell(
    query: Uint8Array,
    reply: Reply,
    from: Sender,
  ): void {
    const about = {
      remote: senderOf(from),
      transport: from.transport,
      question: displayName(query.subarray(12, reply.nameEnd)),
      recordType: typeName(reply.type),
    };
    const { choice, fate } = reply;
    if (fate !== "sent") {
      this.#ctx.emit({ type: "query.limited", ...about, fate });
      return;
    }
    if (choice === undefined) {
      this.#ctx.emit({
        type: "query.answered",
        ...about,
        rcode: rcodeName(reply.rcode),
        answers: reply.answers,
        truncated: reply.truncated,
        sentBytes: reply.bytes.length,
      });
      return;
    }
    this.#ctx.emit({
      type: "edge.selected",
      ...about,
      redirectedName: displayName(choice.redirect.name),
      policy: choice.redirect.steering.name,
      client: clientOf(choice),
      clientFrom: choice.fromOption ? "client-subnet" : "source",
      candidates: choice.candidates.map((edge) => edge.host),
      down: choice.group.edges.filter(({ state }) => !state.isUp)
        .map((edge) => edge.host),
      chosen: choice.edge.host,
      edge: choice.edge.name,
      reason: choice.reasons.join("; "),
      scopeBits: choice.scopeLength,
      ttlSeconds: choice.redirect.ttlSeconds,
    });
  }
}

function clientOf({ client, clientLength }: Choice): string {
  return clientLength === 8 * client.length
    ? formatAddress(client)
    : formatCidr({ bytes: client, prefixLength: clientLength });
}

function senderOf({ address, port }: Sender): string {
  return formatHostPort({ host: formatAddress(address), port });
}
