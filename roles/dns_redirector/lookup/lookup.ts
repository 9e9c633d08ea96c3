import { formatHostPort, isAddress } from "../../../lib/core/address.ts";
import type { HostPort } from "../../../lib/cli/flags.ts";
import {
  InputError,
  messageOf,
  ProtocolError,
  RunError,
} from "../../../lib/core/errors.ts";
import { RECORD_TYPES, typeName, typeNumber } from "../../../lib/dns/codes.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { StubQuery } from "../../../lib/dns/stub_query.ts";
import type { Address } from "../../../lib/io/net.ts";
import { askServer } from "../../../lib/lookup/ask_server.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { type LookupFlags } from "./lookup_flags.ts";
import { runTrace } from "./trace.ts";
import { showAnswer } from "./show_answer.ts";

/** Asks one server one question and prints what it says. */
export async function runLookup(
  flags: LookupFlags,
  ctx: RoleContext,
): Promise<void> {
  const name = nameOf(flags.query ?? "");
  const type = typeOf(flags);
  const server = await serverOf(flags.at, ctx);
  if (flags.trace) return await runTrace(flags, { name, type, server, ctx });
  if (flags.attempts < 1) throw new InputError("--attempts must be at least 1");
  if (flags.timeout <= 0) throw new InputError("--timeout must be more than 0");
  const query = new StubQuery({
    name,
    type,
    rng: ctx.rng,
    timeoutMs: flags.timeout,
    attempts: flags.attempts,
    tcp: flags.tcp,
    ...(flags.subnet === undefined ? {} : { clientSubnet: flags.subnet }),
  });
  const startedAtMs = ctx.clock.nowMs();
  const answer = await askServer(query, { server, from: flags.host, ctx });
  if (answer === undefined) return;
  if (answer instanceof ProtocolError) {
    throw new RunError(
      "lookup-failed",
      `${messageOf(answer)} at ${formatHostPort(server)}`,
      { cause: answer },
    );
  }
  const elapsedMs = ctx.clock.nowMs() - startedAtMs;
  ctx.emit({
    type: "lookup.finished",
    server: formatHostPort(server),
    transport: answer.transport,
    question: answer.names[0] ?? "",
    recordType: typeName(type),
    rcode: answer.rcode,
    addresses: answer.addresses,
    ttlSeconds: answer.ttlSeconds,
    elapsedMs,
  });
  ctx.finish(
    showAnswer(answer, {
      server: formatHostPort(server),
      type: typeName(type),
      elapsedMs,
    }),
  );
}

/** Returns the address of `--at`, which may be a name. */
async function serverOf(
  { host, port }: HostPort,
  ctx: RoleContext,
): Promise<Address> {
  if (isAddress(host)) return { host, port };
  const addresses = await ctx.net.resolve(host, { signal: ctx.signal });
  return { host: addresses[0] ?? "", port };
}

/** `--query NAME AAAA`, as dig has it, or `--type AAAA`. */
function typeOf({ operand, type }: LookupFlags): number {
  if (operand !== "" && type !== RECORD_TYPES.A) {
    throw new InputError(
      `two types to look up, ${operand} and --type ${
        typeName(type)
      }: leave one out`,
    );
  }
  const given = operand === "" ? type : typeNumber(operand);
  if (given === undefined) {
    throw new InputError(
      `TYPE must be a record type such as A, AAAA or CNAME, got "${operand}"`,
    );
  }
  if (given === RECORD_TYPES.AXFR || given === RECORD_TYPES.IXFR) {
    throw new InputError(
      `--query looks records up, and ${
        typeName(given)
      } asks for a whole zone: take dig or kdig for it`,
    );
  }
  return given;
}

function nameOf(text: string) {
  try {
    return parseName(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`--query ${error.message}`, { cause: error });
  }
}
