import { Cidr, formatHostPort } from "../../../lib/core/address.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import { RECORD_TYPES } from "../../../lib/dns/codes.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { type StubAnswer, StubQuery } from "../../../lib/dns/stub_query.ts";
import type { Address } from "../../../lib/io/net.ts";
import { askServer } from "../../../lib/lookup/ask_server.ts";
import type { RoleContext } from "../../../lib/role.ts";

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
    rcode = answer.targetRcode ?? answer.rcode;
    if (rcode !== "NOERROR") break;
  }
  throw new RunError(
    "name-not-found",
    `Cannot find ${name}: ${formatHostPort(options.resolver)} says ${
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
  const result = await askServer(query, { server: resolver, from: host, ctx });
  ctx.signal.throwIfAborted();
  if (result === undefined || result instanceof Error) {
    throw new RunError(
      "resolver-no-answer",
      `${messageOf(result)} at ${formatHostPort(resolver)}`,
      { cause: result },
    );
  }
  return result;
}
