import { flag, type FlagValues, serverFlags } from "../../../lib/cli/flags.ts";
import { isAddress } from "../../../lib/core/address.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import type {
  ResolverInput,
  ResolverOutput,
} from "../../../lib/dns/resolver/in_out.ts";
import { Resolver } from "../../../lib/dns/resolver/resolver.ts";
import { drive } from "../../../lib/io/drive.ts";
import { Inbox } from "../../../lib/io/inbox.ts";
import { secretRng } from "../../../lib/io/hash.ts";
import type { UdpSocket } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { bindBoth } from "../doors/bind_both.ts";
import { checkIdleTimeout } from "../doors/tcp_door.ts";
import { RecursionLog } from "./recursion_log.ts";
import { Clients } from "./clients.ts";
import { resolverOptions, ROOT_FLAGS } from "./recursive_flags.ts";
import { serveTcpClients } from "./tcp_clients.ts";
import { Upstream } from "./upstream.ts";

/** The flags of the resolver. */
export const RECURSIVE_FLAGS = {
  recursive: flag.toggle({
    help:
      "Resolves names for clients with a loopback or private address, as their local DNS server",
  }),
  ...serverFlags({ port: 5300 }),
  ...ROOT_FLAGS,
  askFrom: flag.text({
    placeholder: "ADDR",
    help:
      "Address of this machine to ask authorities from: what they know the resolver by over UDP",
  }),
  clientSubnets: flag.choice(["forward", "off", "add"], {
    default: "forward",
    help:
      "Client subnets (ECS): passes on those that clients send, none, or the own network of every client",
  }),
  serveStale: flag.duration({
    default: "24h",
    help:
      "For how long after it has expired an answer is given when no authority can be reached; 0s for never",
  }),
  maxConnections: flag.count({
    default: "100",
    help: "Closes at once whoever comes over TCP when so many are open",
  }),
  idleTimeout: flag.duration({
    default: "10s",
    help: "Closes a TCP connection without a query for so long",
  }),
};

/** The values of {@linkcode RECURSIVE_FLAGS}. */
export type RecursiveFlagValues = FlagValues<typeof RECURSIVE_FLAGS>;

/** Resolves names for local clients over UDP and TCP until `ctx.signal` aborts. */
export async function serveRecursive(
  flags: RecursiveFlagValues,
  ctx: RoleContext,
): Promise<void> {
  checkIdleTimeout(flags);
  const inbox = new Inbox<ResolverInput>();
  const clients = new Clients();
  const resolver = new Resolver({
    ...await resolverOptions(flags, { ctx }),
    secretRng: secretRng(),
    clientSubnets: flags.clientSubnets,
    staleMs: flags.serveStale,
  });
  const from = flags.askFrom ?? "";
  if (from !== "" && !isAddress(from)) {
    throw new InputError(`--ask-from must be an address, got "${from}"`);
  }
  await using upstream = await Upstream.open(inbox, { ctx, from });
  const { udp, tcp } = await bindBoth(flags, ctx);
  await using _udp = udp;
  await using _tcp = tcp;
  for (const [transport, socket] of [["udp", udp], ["tcp", tcp]] as const) {
    const { host, port } = socket;
    ctx.emit({ type: "role.listening", transport, host, port });
  }
  await using log = new RecursionLog(ctx);
  await Promise.all([
    drive(resolver, inbox, performWith({ upstream, clients, log }), ctx),
    receive(udp, { inbox, clients, ctx }),
    serveTcpClients(tcp, { inbox, clients, ctx, flags }),
  ]);
}

function performWith(
  { upstream, clients, log }: {
    readonly upstream: Upstream;
    readonly clients: Clients;
    readonly log: RecursionLog;
  },
): (output: ResolverOutput) => void {
  return (output) => {
    switch (output.kind) {
      case "send":
        return upstream.send(output);
      case "close":
        return upstream.close(output.exchangeId);
      case "reply":
        return clients.reply(output.clientId, output.bytes);
      case "event":
        return log.tell(output.event);
    }
  };
}

async function receive(
  socket: UdpSocket,
  { inbox, clients, ctx }: {
    readonly inbox: Inbox<ResolverInput>;
    readonly clients: Clients;
    readonly ctx: RoleContext;
  },
): Promise<void> {
  for await (const { bytes, host, port } of socket.receive(ctx.signal)) {
    const clientId = clients.add((reply) => {
      if (reply === undefined) return;
      socket.send(reply, { host, port }).catch((error) => {
        // The client cannot be reached any more: it does not wait
        if (!(error instanceof RunError)) throw error;
      });
    });
    const sender = { host, port, transport: "udp" } as const;
    inbox.push({ kind: "query", clientId, sender, bytes });
  }
}
