import {
  cidrContains,
  parseAddress,
  parseCidr,
  unmapAddress,
} from "../../../core/address.ts";

/** Who can reach an address: this machine only, a site (a LAN, a campus), the world, or nobody, because it is no peer's. */
export type Reach = "machine" | "site" | "world" | "nowhere";

const RANGES: readonly (readonly [Reach, string])[] = [
  ["machine", "127.0.0.0/8"],
  ["machine", "::1"],
  ["nowhere", "0.0.0.0/8"],
  ["nowhere", "224.0.0.0/3"],
  ["nowhere", "::"],
  ["nowhere", "ff00::/8"],
  ["site", "10.0.0.0/8"],
  ["site", "172.16.0.0/12"],
  ["site", "192.168.0.0/16"],
  ["site", "169.254.0.0/16"],
  ["site", "100.64.0.0/10"],
  ["site", "198.18.0.0/15"],
  ["site", "fc00::/7"],
  ["site", "fe80::/10"],
];
const CIDRS = RANGES.map(([reach, text]) => ({ reach, cidr: parseCidr(text) }));

/** Returns who can reach a literal address, after the special-purpose registries (RFC 6890); `nowhere` for a name. */
export function reachOf(host: string): Reach {
  let address: Uint8Array;
  try {
    address = unmapAddress(parseAddress(host));
  } catch {
    return "nowhere";
  }
  return CIDRS.find(({ cidr }) => cidrContains(cidr, address))?.reach ??
    "world";
}
