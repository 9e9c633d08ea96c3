/**
 * Multicast on Deno's datagram sockets (unstable API; `unstable: net`).
 *
 * One socket receives: bound to all addresses and the group's port, which every member on this machine binds as well
 * (`reuseAddress`), and joined on each interface. Deno cannot say by which interface a datagram is to leave, and on a
 * network without a default route the system would refuse it; a socket that is bound to an interface's own address sends
 * by that interface, so there is one of those for each.
 *
 * Where datagrams have to come from the group's own port (mDNS), all of that would be in the way of others: of a program
 * that is to listen on that port, or that waits there for datagrams of its own. So the socket that receives is bound to
 * the group's address, where the system allows it, and those that send are open while they send.
 */
import {
  anyAddressOf,
  type Family,
  familyOf,
  formatHostPort,
  isIpv6,
  isLoopback,
  maskAddress,
  parseAddress,
} from "../../core/address.ts";
import { equalBytes } from "../../core/bytes.ts";
import { RunError } from "../../core/errors.ts";
import type { Address, MulticastOptions, MulticastSocket } from "../net.ts";
import { closer } from "./close.ts";
import { systemError } from "./errors.ts";
import { udpSocket } from "./udp.ts";

interface Interface {
  readonly address: string;
  /** Of IPv6; 0 lets the system choose. */
  readonly index: number;
  readonly cidr: string;
}

/** What sends by one interface. */
interface Sender {
  readonly at: Interface;
  send(bytes: Uint8Array, to: Deno.NetAddr): Promise<unknown>;
  close(): void;
}

/** The families by the names that the system has for them. */
const SYSTEMS_NAME = { ipv4: "IPv4", ipv6: "IPv6" } as const;

/** See `Net.joinMulticast`. */
export async function joinMulticast(
  group: Address,
  { host = "", loopback = false, fromGroupPort = false }: MulticastOptions = {},
): Promise<MulticastSocket> {
  const family = familyOf(group.host);
  const any = anyAddressOf(family);
  const receiver = receiverOf(group, { any, isOwn: fromGroupPort });
  const members = new Members(group, { receiver, isBrief: fromGroupPort });
  const renew = () =>
    members.renew(
      interfacesOf(family, { host: host === any ? "" : host, loopback }),
    );
  await renew();
  if (members.senders.length === 0) {
    receiver.close();
    throw new RunError(
      "no-multicast",
      `Cannot join ${formatHostPort(group)}: ${
        host === "" || host === any
          ? `no network interface with an ${SYSTEMS_NAME[family]} address`
          : `no network interface that has the address ${host}`
      } takes multicast`,
    );
  }
  const own = udpSocket(receiver, any);
  const close = closer(receiver);
  return {
    get interfaces() {
      return members.addresses;
    },
    renew,
    receive: (signal) => own.receive(signal),
    reply: (bytes, to) => replyTo(members.senders, bytes, to),
    send: (bytes) => sendByEach(members.senders, group, bytes),
    [Symbol.asyncDispose]() {
      close();
      for (const sender of members.senders) sender.close();
      return Promise.resolve();
    },
  };
}

/** The interfaces that a group was joined on, by address, and what sends by them. */
class Members {
  readonly #group: Address;
  readonly #receiver: Deno.DatagramConn;
  readonly #isBrief: boolean;
  readonly #joined = new Map<
    string,
    { readonly sender: Sender | undefined; readonly leave: () => Promise<void> }
  >();

  /** @param options.isBrief Senders are at the group's port, and open while they send. */
  constructor(
    group: Address,
    { receiver, isBrief }: {
      readonly receiver: Deno.DatagramConn;
      readonly isBrief: boolean;
    },
  ) {
    this.#group = group;
    this.#receiver = receiver;
    this.#isBrief = isBrief;
  }

  get addresses(): readonly string[] {
    return [...this.#joined.keys()];
  }

  get senders(): readonly Sender[] {
    return [...this.#joined.values()].flatMap(({ sender }) => sender ?? []);
  }

  /** Joins on those of `found` that are new, and leaves what is not there any more. Returns whether any is new. */
  async renew(found: readonly Interface[]): Promise<boolean> {
    for (const [address, { sender, leave }] of this.#joined) {
      if (found.some((one) => one.address === address)) continue;
      this.#joined.delete(address);
      sender?.close();
      await leave().catch(() => {}); // The system has done it already.
    }
    let isNew = false;
    for (const at of found) {
      try {
        const { leave } = await this.#join(at);
        this.#joined.get(at.address)?.sender?.close();
        this.#joined.set(at.address, { sender: this.#senderOf(at), leave });
        isNew = true;
      } catch { /* This interface is a member already, or has no multicast. */ }
    }
    return isNew;
  }

  #join(
    { address, index }: Interface,
  ): Promise<{ readonly leave: () => Promise<void> }> {
    const { host } = this.#group;
    return isIpv6(host)
      ? this.#receiver.joinMulticastV6(host, index)
      : this.#receiver.joinMulticastV4(host, address);
  }

  #senderOf(at: Interface): Sender | undefined {
    return this.#isBrief
      ? briefSender(at, this.#group)
      : keptSender(at, this.#group);
  }
}

/** Sends the same bytes, or what is made of its address, by each interface. */
async function sendByEach(
  senders: readonly Sender[],
  group: Address,
  bytes: Parameters<MulticastSocket["send"]>[0],
): Promise<void> {
  const to = udpAddress(group);
  const sent = await Promise.allSettled(
    senders.map((sender) =>
      sender.send(
        bytes instanceof Uint8Array ? bytes : bytes(sender.at.address),
        to,
      )
    ),
  );
  const failed = sent.find(({ status }) => status === "rejected");
  if (
    failed === undefined || sent.some((one) => one.status === "fulfilled")
  ) return;
  throw sendError(group, (failed as PromiseRejectedResult).reason);
}

/** Sends by the interface in whose network the receiver is; by the first if it is in none. */
async function replyTo(
  senders: readonly Sender[],
  bytes: Uint8Array,
  to: Address,
): Promise<void> {
  const receiver = parseAddress(to.host);
  const near = senders.find(({ at }) => isNear(at, receiver));
  try {
    await (near ?? senders[0]!).send(bytes, udpAddress(to));
  } catch (error) {
    throw sendError(to, error);
  }
}

/** Whether an address lies in an interface's network. */
function isNear({ address, cidr }: Interface, other: Uint8Array): boolean {
  const prefixLength = Number(cidr.split("/")[1]);
  return equalBytes(
    maskAddress(parseAddress(address), prefixLength),
    maskAddress(other, prefixLength),
  );
}

function udpAddress({ host, port }: Address): Deno.NetAddr {
  return { transport: "udp", hostname: host, port };
}

function sendError(to: Address, error: unknown): RunError {
  const { message } = systemError(`send to ${formatHostPort(to)}`, error);
  return new RunError("send-failed", message, { cause: error });
}

/** The socket that receives: bound to all addresses, or to the group's own. */
function receiverOf(
  group: Address,
  { any, isOwn }: { readonly any: string; readonly isOwn: boolean },
): Deno.DatagramConn {
  // Windows cannot bind a group's address.
  const hostname = isOwn && Deno.build.os !== "windows" ? group.host : any;
  return open({ hostname, port: group.port }, group);
}

/** A socket at the interface's address; none if that went away, or is still being checked for doubles. */
function keptSender(at: Interface, group: Address): Sender | undefined {
  try {
    const socket = open({ hostname: at.address, port: 0 }, group);
    return {
      at,
      send: (bytes, to) => socket.send(bytes, to),
      close: closer(socket),
    };
  } catch {
    return undefined;
  }
}

/** A socket at the group's port, for each datagram one. */
function briefSender(at: Interface, group: Address): Sender {
  return {
    at,
    async send(bytes, to) {
      const bind = { hostname: at.address, port: group.port };
      const socket = open(bind, group);
      try {
        await socket.send(bytes, to);
      } finally {
        closer(socket)();
      }
    },
    close() {},
  };
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
    throw systemError(`listen on udp ${formatHostPort(group)}`, error);
  }
}

/** The interfaces of a family, or the one whose address is `host`; loopback is for want of any other. */
function interfacesOf(
  family: Family,
  { host, loopback }: { readonly host: string; readonly loopback: boolean },
): Interface[] {
  const all = Deno.networkInterfaces();
  const index = new Map<string, number>();
  for (const { name, scopeid } of all) {
    if (scopeid) index.set(name, scopeid);
  }
  const found = all.filter(({ address, ...one }) =>
    one.family === SYSTEMS_NAME[family] &&
    // A link-local address cannot be bound without naming its interface.
    !/^fe[89ab]/i.test(address) && (host === "" || address === host)
  );
  const outside = found.filter(({ address }) => !isLoopback(address));
  return (outside.length > 0 && !loopback ? outside : found).map((
    { name, address, cidr },
  ) => ({
    address,
    cidr,
    index: index.get(name) ?? 0,
  }));
}
