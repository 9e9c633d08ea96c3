import {
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
  const servers = addresses.map((host) => ({ host: canonical(host), port }))
    .sort((a, b) => Number(isIpv6(a.host)) - Number(isIpv6(b.host)));
  await using socket = ctx.net.listenUdp({ host: "", port: 0 });
  const channel: EchoChannel = {
    get remote() {
      return servers[0]!;
    },
    send: (message) => sendToFirst(servers, utf8(message), socket),
    replies: repliesOf(socket, () => servers[0]!, ctx.signal),
    isReliable: false,
  };
  const messages = flags.message === undefined ? undefined : [flags.message];
  await runEchoClient(channel, { ...flags, messages }, ctx);
}

/** Sends to the first of the server's addresses; one that this machine cannot reach is left out from then on. That nobody is there, UDP does not tell. */
async function sendToFirst(
  servers: Address[],
  bytes: Uint8Array,
  socket: UdpSocket,
): Promise<void> {
  let failure: unknown;
  for (const server of [...servers]) {
    try {
      return await socket.send(bytes, server);
    } catch (error) {
      failure ??= error;
      if (servers.length > 1) servers.shift();
    }
  }
  throw failure;
}

/** The way sockets write an address: `0:0:0:0:0:0:0:1` is `::1`, and `::ffff:10.0.0.1` is IPv4. */
function canonical(host: string): string {
  if (!isAddress(host)) return host; // With a zone, such as fe80::1%eth0.
  return formatAddress(unmapAddress(parseAddress(host)));
}

/** Anyone may send to our socket; only what comes from the server is an echo. */
async function* repliesOf(
  socket: UdpSocket,
  server: () => Address,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  for await (const { bytes, host, port } of socket.receive(signal)) {
    const from = server();
    if (host === from.host && port === from.port) yield textOfBytes(bytes);
  }
}
