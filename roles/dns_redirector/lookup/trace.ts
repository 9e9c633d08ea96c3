import { InputError, RunError } from "../../../lib/core/errors.ts";
import type { Cidr } from "../../../lib/core/address.ts";
import { decodeMessage, type DnsMessage } from "../../../lib/dns/message.ts";
import { displayName, type Name, parseName } from "../../../lib/dns/name.ts";
import type { ResolverInput } from "../../../lib/dns/resolver/in_out.ts";
import { Resolver } from "../../../lib/dns/resolver/resolver.ts";
import { encodeQuery } from "../../../lib/dns/stub_query.ts";
import type { RecursionEvent } from "../../../lib/events/recursion.ts";
import { drive } from "../../../lib/io/drive.ts";
import { Inbox } from "../../../lib/io/inbox.ts";
import type { Address } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import {
  resolverOptions,
  type RootFlagValues,
} from "../recursive/recursive_flags.ts";
import { Upstream } from "../recursive/upstream.ts";
import { drawStep, showTrace } from "./show_trace.ts";

/** What a trace is told by flags. */
export interface TraceFlags extends RootFlagValues {
  readonly subnet: Cidr | undefined;
  readonly tcp: boolean;
  readonly host: string;
}

/** What is looked for, and where to start if no root hint is given. */
interface Wanted {
  readonly name: Name;
  readonly type: number;
  readonly server: Address;
  readonly ctx: RoleContext;
}

/**
 * Walks from the root to an answer as a resolver that knows nothing does, and draws each step as it is taken.
 *
 * @throws {RunError} `lookup-failed` if the walk leads nowhere.
 */
export async function runTrace(
  flags: TraceFlags,
  { name, type, server, ctx }: Wanted,
): Promise<void> {
  if (flags.tcp) {
    throw new InputError(
      "--trace asks over UDP, and over TCP where it must: leave --tcp out",
    );
  }
  const start = {
    name: parseName("start."),
    addresses: [server.host],
    port: server.port,
  };
  const resolver = new Resolver({
    ...await resolverOptions(flags, { ctx, start }),
    staleMs: 0,
  });
  const query = encodeQuery({
    id: 0,
    name,
    type,
    ...(flags.subnet === undefined ? {} : { clientSubnet: flags.subnet }),
  });
  const steps: RecursionEvent[] = [];
  const onStep = (event: RecursionEvent) => {
    steps.push(event);
    const drawn = drawStep(event);
    if (drawn !== "") ctx.terminal.write(`${drawn}\n`);
  };
  const message = await walk(resolver, {
    query,
    from: flags.host,
    ctx,
    onStep,
  });
  if (message === undefined) return;
  const last = steps.at(-1);
  if (last?.type === "recursion.refused") {
    throw new InputError(`Cannot trace: ${last.reason}`);
  }
  ctx.finish(showTrace(message, { name, type, steps }));
  if (last?.type === "recursion.finished" && last.source === "failure") {
    throw new RunError(
      "lookup-failed",
      `Cannot look up ${displayName(name)}: ${last.reason}${
        isLost(flags, steps)
          ? " (--trace starts at a server of the root: say which with --root-hint, or --at)"
          : ""
      }`,
    );
  }
}

/** Whether the walk began at `--at` and never got any further: that may be a local DNS server, which knows no way down. */
function isLost(
  { rootHint, rootHints }: TraceFlags,
  steps: readonly RecursionEvent[],
): boolean {
  return rootHint.length === 0 && rootHints === undefined &&
    steps.every((step) => step.type !== "recursion.asked" || step.zone === ".");
}

/** Runs a resolver for one question; undefined if it was interrupted. */
async function walk(
  resolver: Resolver,
  { query, from, ctx, onStep }: {
    readonly query: Uint8Array<ArrayBuffer>;
    readonly from: string;
    readonly ctx: RoleContext;
    readonly onStep: (event: RecursionEvent) => void;
  },
): Promise<DnsMessage | undefined> {
  const inbox = new Inbox<ResolverInput>();
  await using upstream = await Upstream.open(inbox, { ctx, from });
  // TCP, as what we are told is not to be cut off
  const sender = { host: "127.0.0.1", port: 0, transport: "tcp" } as const;
  inbox.push({ kind: "query", clientId: 1, sender, bytes: query });
  let message: DnsMessage | undefined;
  await drive(resolver, inbox, (output) => {
    if (output.kind === "send") upstream.send(output);
    else if (output.kind === "close") upstream.close(output.exchangeId);
    else if (output.kind === "event") onStep(output.event);
    else {
      message = output.bytes && decodeMessage(output.bytes);
      inbox.close();
    }
  }, ctx);
  return message;
}
