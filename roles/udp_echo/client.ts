import {
  anyAddressOf,
  familyOf,
  formatAddress,
  isAddress,
  isIpv6,
  parseAddress,
  unmapAddress,
} from "../../lib/core/address.ts";
import { utf8 } from "../../lib/core/bytes.ts";
import { textOfBytes } from "../../lib/core/upper_case.ts";
import { type EchoChannel, runEchoClient } from "../../lib/echo/client.ts";
import type { EchoClientFlags } from "../../lib/echo/client_flags.ts";
import type { Address, UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";

/** Asks an echo server over UDP: no connection is made, every datagram carries the server's address. */
export async function runUdpClient(
  flags: EchoClientFlags,
  ctx: RoleContext,
): Promise<void> {
  const { host: name, port } = flags.connect!;
  const addresses = await ctx.net.resolve(name, ctx);
  // A name may have addresses of both kinds; the lecture's server listens on IPv4 only.
  const host = addresses.find((one) => !isIpv6(one)) ?? addresses[0]!;
  const server = { host: canonical(host), port };
  await using socket = ctx.net.listenUdp({
    host: anyAddressOf(familyOf(server.host)),
    port: 0,
  });
  const channel: EchoChannel = {
    remote: server,
    send: (message) => socket.send(utf8(message), server),
    replies: repliesOf(socket, server, ctx.signal),
    isReliable: false,
  };
  const messages = flags.message === undefined ? undefined : [flags.message];
  await runEchoClient(channel, { ...flags, messages }, ctx);
}

/** The way sockets write an address: `0:0:0:0:0:0:0:1` is `::1`, and `::ffff:10.0.0.1` is IPv4. */
function canonical(host: string): string {
  if (!isAddress(host)) return host; // With a zone, such as fe80::1%eth0.
  return formatAddress(unmapAddress(parseAddress(host)));
}

/** Anyone may send to our socket; only what comes from the server is an echo. */
async function* repliesOf(
  socket: UdpSocket,
  server: Address,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  for await (const { bytes, host, port } of socket.receive(signal)) {
    if (host === server.host && port === server.port) yield textOfBytes(bytes);
  }
}
