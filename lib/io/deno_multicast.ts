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
import { type Address, formatAddress, type MulticastSocket } from "./net.ts";

interface Interface {
  readonly address: string;
  /** Of IPv6; 0 lets the system choose. */
  readonly index: number;
}

/** See `Net.joinMulticast`. */
export async function joinMulticast(
  group: Address,
  { host = "" }: { readonly host?: string } = {},
): Promise<MulticastSocket> {
  const isIpv6 = group.host.includes(":");
  const any = isIpv6 ? "::" : "0.0.0.0";
  const chosen = interfacesOf(isIpv6, host === any ? "" : host);
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
  const senders = sendersOf(joined, group);
  if (senders.length === 0) {
    receiver.close();
    throw new RunError(
      "no-multicast",
      `Cannot join ${formatAddress(group)}: no network interface with an ${
        isIpv6 ? "IPv6" : "IPv4"
      } address takes multicast`,
    );
  }
  const to = {
    transport: "udp",
    hostname: group.host,
    port: group.port,
  } as const;
  const close = [receiver, ...senders].map(closer);
  return {
    interfaces: joined.map(({ address }) => address),
    receive: (signal) => udpSocket(receiver, any).receive(signal),
    async send(bytes) {
      const sent = await Promise.allSettled(
        senders.map((socket) => socket.send(bytes, to)),
      );
      const failed = sent.find(({ status }) => status === "rejected");
      if (
        failed === undefined || sent.some((one) => one.status === "fulfilled")
      ) {
        return;
      }
      const { reason } = failed as PromiseRejectedResult;
      throw new RunError(
        "send-failed",
        systemError(`send to ${formatAddress(group)}`, reason).message,
        { cause: reason },
      );
    },
    [Symbol.asyncDispose]() {
      for (const one of close) one();
      return Promise.resolve();
    },
  };
}

/** A socket on each interface. */
function sendersOf(
  joined: readonly Interface[],
  group: Address,
): Deno.DatagramConn[] {
  const senders: Deno.DatagramConn[] = [];
  for (const { address } of joined) {
    try {
      senders.push(open({ hostname: address, port: 0 }, group));
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
function interfacesOf(isIpv6: boolean, host: string): Interface[] {
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
  const loopback = /^(127\.|::1$)/;
  const outside = found.filter(({ address }) => !loopback.test(address));
  return (outside.length > 0 ? outside : found).map(({ name, address }) => ({
    address,
    index: index.get(name) ?? 0,
  }));
}
