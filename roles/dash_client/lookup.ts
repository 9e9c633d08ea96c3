import type { Cidr } from "../../lib/core/address.ts";
import { messageOf, RunError } from "../../lib/core/errors.ts";
import { RECORD_TYPES } from "../../lib/dns/codes.ts";
import { parseName } from "../../lib/dns/name.ts";
import { frameMessage, MessageDecoder } from "../../lib/dns/stream.ts";
import {
  type StubAnswer,
  type StubInput,
  StubQuery,
} from "../../lib/dns/stub_query.ts";
import { drive } from "../../lib/io/drive.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import { type Address, formatAddress } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { Inbox } from "../../lib/io/inbox.ts";

/** Whom to ask, and as whom. */
export interface ResolverOptions {
  /** A literal address and a port. */
  readonly resolver: Address;
  /** Address to ask from; "" is whatever the system takes. */
  readonly host: string;
  /** Says the question is for a client of this network (EDNS Client Subnet, RFC 7871). */
  readonly clientSubnet: Cidr | undefined;
}

/** Wait for the first answer; two more tries wait 1 s and 2 s: 3.5 s in all. */
const FIRST_WAIT_MS = 500;

/**
 * Asks a resolver for the addresses of a name: IPv4, and IPv6 when there are none.
 *
 * @throws {RunError} `name-not-found` if it has none, `resolver-no-answer` if nobody answers.
 */
export async function lookUp(
  name: string,
  options: ResolverOptions,
  ctx: RoleContext,
): Promise<
  { readonly addresses: readonly string[]; readonly ttlSeconds: number }
> {
  const types = [RECORD_TYPES.A, RECORD_TYPES.AAAA];
  let rcode = "";
  for (const type of types) {
    const answer = await ask(name, type, options, ctx);
    if (answer.addresses.length > 0) return answer;
    rcode = answer.rcode;
    if (rcode !== "NOERROR") break;
  }
  throw new RunError(
    "name-not-found",
    `Cannot find ${name}: ${formatAddress(options.resolver)} says ${
      rcode === "NOERROR" ? "it has no address" : rcode
    }`,
  );
}

async function ask(
  name: string,
  type: number,
  { resolver, host, clientSubnet }: ResolverOptions,
  ctx: RoleContext,
): Promise<StubAnswer> {
  const query = new StubQuery({
    name: parseName(name),
    type,
    rng: ctx.rng,
    timeoutMs: FIRST_WAIT_MS,
    ...(clientSubnet === undefined ? {} : { clientSubnet }),
  });
  const inbox = new Inbox<StubInput>();
  using over = new LinkedAbort(ctx.signal);
  const { signal } = over;
  await using socket = ctx.net.listenUdp({
    host: host !== "" ? host : resolver.host.includes(":") ? "::" : "0.0.0.0",
    port: 0,
  });
  const receive = async () => {
    for await (const { bytes, ...from } of socket.receive(signal)) {
      if (from.host !== resolver.host || from.port !== resolver.port) continue;
      inbox.push({ kind: "message", bytes });
    }
  };
  const talks: Promise<void>[] = [receive()];
  let result: StubAnswer | Error | undefined;
  inbox.push({ kind: "start" });
  await drive(query, inbox, async (output) => {
    if (output.kind === "send" && output.transport === "udp") {
      await socket.send(output.bytes, resolver).catch((error) => {
        // Unreachable for now: the machine asks again, or gives up in time.
        if (!(error instanceof RunError)) throw error;
      });
    } else if (output.kind === "send") {
      talks.push(talk(output.bytes, { resolver, inbox, signal, ctx }));
    } else {
      result = output.kind === "answered" ? output.answer : output.error;
      inbox.close();
    }
  }, { clock: ctx.clock, signal: ctx.signal });
  over.abort();
  await Promise.all(talks);
  ctx.signal.throwIfAborted();
  if (result === undefined || result instanceof Error) {
    throw new RunError(
      "resolver-no-answer",
      `${messageOf(result)} at ${formatAddress(resolver)}`,
      { cause: result },
    );
  }
  return result;
}

/** One question over TCP, for an answer that did not fit into a datagram. */
async function talk(
  message: Uint8Array,
  { resolver, inbox, signal, ctx }: {
    readonly resolver: Address;
    readonly inbox: Inbox<StubInput>;
    readonly signal: AbortSignal;
    readonly ctx: RoleContext;
  },
): Promise<void> {
  try {
    using connection = await ctx.net.connectTcp(resolver, {
      timeoutMs: 4000,
      signal,
    });
    const close = () => connection[Symbol.dispose]();
    signal.addEventListener("abort", close, { once: true });
    await connection.write(frameMessage(message));
    const decoder = new MessageDecoder();
    const buffer = new Uint8Array(4096);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      for (const bytes of decoder.push(buffer.subarray(0, count))) {
        inbox.push({ kind: "message", bytes: bytes.slice() });
      }
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof RunError)) throw error;
  }
  inbox.push({ kind: "disconnected" });
}
