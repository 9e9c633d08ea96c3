import { isAddress } from "../../lib/core/address.ts";
import type { HostPort } from "../../lib/cli/flags.ts";
import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { RECORD_TYPES, typeName, typeNumber } from "../../lib/dns/codes.ts";
import { parseName } from "../../lib/dns/name.ts";
import { frameMessage, MessageDecoder } from "../../lib/dns/stream.ts";
import {
  type StubAnswer,
  type StubInput,
  StubQuery,
} from "../../lib/dns/stub_query.ts";
import { drive } from "../../lib/io/drive.ts";
import { Inbox } from "../../lib/io/inbox.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import {
  type Address,
  formatAddress,
  type TcpConnection,
  type UdpSocket,
} from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { LookupFlags } from "./lookup_flags.ts";
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
  if (flags.rootHint.length > 0 || flags.rootHints !== undefined) {
    throw new InputError("--root-hint and --root-hints are for --trace");
  }
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
  const answer = await ask(query, { server, from: flags.host, ctx });
  if (answer === undefined) return;
  const elapsedMs = ctx.clock.nowMs() - startedAtMs;
  ctx.emit({
    type: "lookup.finished",
    server: formatAddress(server),
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
      server: formatAddress(server),
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

/** Runs the question to its end; undefined if it was interrupted. */
async function ask(
  query: StubQuery,
  { server, from, ctx }: {
    readonly server: Address;
    readonly from: string;
    readonly ctx: RoleContext;
  },
): Promise<StubAnswer | undefined> {
  const inbox = new Inbox<StubInput>();
  inbox.push({ kind: "start" });
  using over = new LinkedAbort(ctx.signal);
  const { signal } = over;
  await using socket = ctx.net.listenUdp({
    host: from !== "" ? from : server.host.includes(":") ? "::" : "0.0.0.0",
    port: 0,
  });
  const receiving = receive(socket, { server, inbox, signal });
  const talks: Promise<void>[] = [];
  let answer: StubAnswer | undefined;
  let failure: Error | undefined;
  await drive(query, inbox, async (output) => {
    if (output.kind === "send" && output.transport === "udp") {
      await socket.send(output.bytes, server).catch((error) => {
        // unreachable now; the timeout asks again
        if (!(error instanceof RunError)) throw error;
      });
    } else if (output.kind === "send") {
      talks.push(talk(output.bytes, { server, inbox, ctx, signal }));
    } else {
      if (output.kind === "answered") answer = output.answer;
      else failure = output.error;
      inbox.close();
    }
  }, { clock: ctx.clock, signal: ctx.signal });
  over.abort();
  await Promise.all([receiving, ...talks]);
  if (failure !== undefined) {
    throw new RunError(
      "lookup-failed",
      `${messageOf(failure)} at ${formatAddress(server)}`,
      { cause: failure },
    );
  }
  return answer;
}

async function receive(
  socket: UdpSocket,
  { server, inbox, signal }: {
    readonly server: Address;
    readonly inbox: Inbox<StubInput>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for await (const { bytes, host, port } of socket.receive(signal)) {
    if (host !== server.host || port !== server.port) continue;
    inbox.push({ kind: "message", bytes });
  }
}

/** One query over one TCP connection. */
async function talk(
  message: Uint8Array,
  { server, inbox, ctx, signal }: {
    readonly server: Address;
    readonly inbox: Inbox<StubInput>;
    readonly ctx: RoleContext;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  let connection: TcpConnection | undefined;
  const close = () => connection?.[Symbol.dispose]();
  signal.addEventListener("abort", close, { once: true });
  try {
    connection = await ctx.net.connectTcp(server, {
      timeoutMs: 60_000,
      signal,
    });
    await connection.write(frameMessage(message));
    const decoder = new MessageDecoder();
    const buffer = new Uint8Array(16_384);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      for (const bytes of decoder.push(buffer.subarray(0, count))) {
        inbox.push({ kind: "message", bytes: bytes.slice() });
      }
    }
    inbox.push({ kind: "disconnected" });
  } catch (error) {
    if (!signal.aborted && !(error instanceof RunError)) throw error;
    inbox.push({ kind: "disconnected" });
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
