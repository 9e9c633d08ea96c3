import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";

/** Where every simulated peer takes connections. */
export const LISTEN_PORT = 6881;

/** Where a simulated host is: each has an address of its own, of the range for measurements (RFC 2544). */
export function endpointOf(index: number, port: number): PeerEndpoint {
  const host = `198.${18 + (index >> 16)}.${index >> 8 & 255}.${index & 255}`;
  return { host, port };
}

/** Which host has an address. */
export function hostIndex(address: string): number {
  const [, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return (b - 18) << 16 | c << 8 | d;
}
