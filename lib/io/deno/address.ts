import type { Address } from "../net.ts";

/** The address as people write it: IPv4 clients of a `::` socket come as `::ffff:10.0.0.1`. */
export function addressOf(address: Deno.Addr): Address {
  const { hostname, port } = address as Deno.NetAddr;
  return { host: hostname.replace(/^::ffff:(?=\d+\.)/i, ""), port };
}
