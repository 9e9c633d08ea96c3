/**
 * Multicast on Deno's datagram sockets (unstable API; `unstable: net`).
 *
 * One socket receives: bound to all addresses and the group's port, which every member on this machine binds as well
 * (`reuseAddress`), and joined on each interface. Deno cannot say by which interface a datagram is to leave, and on a
 * network without a default route the system would refuse it; a socket that is bound to an interface's own address sends
 * by that interface, so there is one of those for each.
 */
import { RunError } from "../core/errors.ts";
import { closer } from "./deno_close.ts";
import { systemError } from "./deno_errors.ts";
import { udpSocket } from "./deno_udp.ts";
import {
  type Address,
  formatAddress,
  type MulticastOptions,
  type MulticastSocket,
} from "./net.ts";

interface Interface {
  readonly address: string;
  /** Of IPv6; 0 lets the system choose. */
  readonly index: number;
}

/** What sends by one interface. */
interface Sender {
  readonly socket: Deno.DatagramConn;
  /** The interface's. */
  readonly address: string;
}

/** See `Net.joinMulticast`. */
export async function joinMulticast(
  group: Address,
  { host = "", loopback = false, fromGroupPort = false }: MulticastOptions = {},
): Promise<MulticastSocket> {
  const isIpv6 = group.host.includes(":");
  const any = isIpv6 ? "::" : "0.0.0.0";
  const chosen = interfacesOf(isIpv6, {
    host: host === any ? "" : host,
    loopback,
  });
  const receiver = open({ hostname: any, port: group.port }, group);
  const joined: Interface[] = [];
  for (const candidate of chosen) {
    try {
      if (isIpv6) {
        await receiver.joinMulticastV6(group.host, candidate.index);
      } else await receiver.joinMulticastV4(group.host, candidate.address);
      joined.push(candidate);
    } catch { /* This interface has no multicast. */ }
  }
  const senders = sendersOf(joined, group, fromGroupPort ? group.port : 0);
  if (senders.length === 0) {
    receiver.close();
    throw new RunError(
      "no-multicast",
      `Cannot join ${formatAddress(group)}: no network interface with an ${
        isIpv6 ? "IPv6" : "IPv4"
      } address takes multicast`,
    );
  }
  const close = [receiver, ...senders.map(({ socket }) => socket)].map(closer);
  const own = udpSocket(receiver, any);
  return {
    interfaces: joined.map(({ address }) => address),
    receive: (signal) => own.receive(signal),
    reply: (bytes, to) => own.send(bytes, to),
    send: (bytes) => sendByEach(senders, group, bytes),
    [Symbol.asyncDispose]() {
      for (const one of close) one();
      return Promise.resolve();
    },
  };
}

/** Sends the same bytes, or what is made of its address, by each interface. */
async function sendByEach(
  senders: readonly Sender[],
  group: Address,
  bytes: Parameters<MulticastSocket["send"]>[0],
): Promise<void> {
  const to = {
    transport: "udp",
    hostname: group.host,
    port: group.port,
  } as const;
  const sent = await Promise.allSettled(
    senders.map(({ socket, address }) =>
      socket.send(bytes instanceof Uint8Array ? bytes : bytes(address), to)
    ),
  );
  const failed = sent.find(({ status }) => status === "rejected");
  if (
    failed === undefined || sent.some((one) => one.status === "fulfilled")
  ) return;
  const { reason } = failed as PromiseRejectedResult;
  throw new RunError(
    "send-failed",
    systemError(`send to ${formatAddress(group)}`, reason).message,
    { cause: reason },
  );
}

/** A socket on each interface. */
function sendersOf(
  joined: readonly Interface[],
  group: Address,
  port: number,
): Sender[] {
  const senders: Sender[] = [];
  for (const { address } of joined) {
    try {
      const socket = open({ hostname: address, port }, group);
      senders.push({ socket, address });
    } catch {
      /* The address went away, or is still being checked for doubles. */
    }
  }
  return senders;
}

function open(
  bind: { readonly hostname: string; readonly port: number },
  group: Address,
): Deno.DatagramConn {
  try {
    // `loopback`: the others on this machine are to hear it as well.
    const options = { reuseAddress: true, loopback: true };
    return Deno.listenDatagram({ transport: "udp", ...bind, ...options });
  } catch (error) {
    throw systemError(`listen on udp ${formatAddress(group)}`, error);
  }
}

/** The interfaces of a family, or the one whose address is `host`; loopback is for want of any other. */
function interfacesOf(
  isIpv6: boolean,
  { host, loopback }: { readonly host: string; readonly loopback: boolean },
): Interface[] {
  const all = Deno.networkInterfaces();
  const index = new Map<string, number>();
  for (const { name, scopeid } of all) {
    if (scopeid) index.set(name, scopeid);
  }
  const found = all.filter(({ family, address }) =>
    family === (isIpv6 ? "IPv6" : "IPv4") &&
    // A link-local address cannot be bound without naming its interface.
    !/^fe[89ab]/i.test(address) && (host === "" || address === host)
  );
  const isLoopback = /^(127\.|::1$)/;
  const outside = found.filter(({ address }) => !isLoopback.test(address));
  return (outside.length > 0 && !loopback ? outside : found).map((
    { name, address },
  ) => ({
    address,
    index: index.get(name) ?? 0,
  }));
}
