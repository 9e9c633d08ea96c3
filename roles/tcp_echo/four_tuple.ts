import type { TcpConnection } from "../../lib/io/net.ts";

/** Returns what tells this connection's socket from every other: two addresses and two ports. */
export function fourTuple({ local, remote }: TcpConnection) {
  return {
    localHost: local.host,
    localPort: local.port,
    remoteHost: remote.host,
    remotePort: remote.port,
  };
}
