/** What all servers of bench/dns.ts are asked for, and the networks that decide the answer. */

/** The name whose address depends on the client's network. */
export const GEO_NAME = "geo.cdn.test";
/** Networks, each with a prefix of 24 bits. */
export const NETWORKS = 4096;
/** Sites; the networks go to them in turn. */
export const SITES = 8;

/** Returns the network with a number from 0 on. */
export function networkOf(at: number): string {
  return `${20 + (at >> 8)}.${at & 255}.${at % 7}.0/24`;
}

/** Returns the address of a site's edge. */
export function edgeOf(site: number): string {
  return `10.0.${site}.1`;
}
