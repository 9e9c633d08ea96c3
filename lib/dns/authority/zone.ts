import type { Cidr } from "../../core/address.ts";
import type { Name } from "../name.ts";
import type { Steering } from "../select/mod.ts";

/** A record of a zone; its class is IN. */
export interface ZoneRecord {
  readonly name: Name;
  readonly type: number;
  readonly ttlSeconds: number;
  /** Uncompressed. */
  readonly rdata: Uint8Array<ArrayBuffer>;
  /** Where it starts in its file, from 1. */
  readonly line?: number;
}

/** A place where content is served. */
export interface EdgeSpec {
  /** What sites and redirects call it; its address will do. */
  readonly name: string;
  /** IPv4, IPv6 or both. */
  readonly addresses: readonly Uint8Array[];
  /** Share of the clients under `weighted` and `hash`; 0 gets none while another has more. */
  readonly weight: number;
  /** Where its service is checked, if not at the port of `--health-port`. */
  readonly port?: number;
  /** Where it tells its load, `PORT` or `ADDR:PORT`, if not at the port of `--load-port` of its address. */
  readonly admin?: string;
}

/** Networks whose clients are near some edges. */
export interface SiteSpec {
  readonly name: string;
  readonly subnets: readonly Cidr[];
  /** Names or addresses of edges. */
  readonly edges: readonly string[];
  /** Those to take when all of `edges` are down, the nearest first. */
  readonly farther?: readonly (readonly string[])[];
}

/** A name whose address depends on who asks. */
export interface RedirectSpec {
  readonly name: Name;
  readonly steering: Steering;
  readonly ttlSeconds: number;
  /** Names or addresses of edges. */
  readonly edges: readonly string[];
}

/** A zone as it was written, in a master file, as JSON or by flags. */
export interface ZoneData {
  /** Where it was read, for what is wrong with it: `--zone kingcdn.zone`. */
  readonly source?: string;
  readonly origin: Name;
  readonly records: readonly ZoneRecord[];
  readonly edges: readonly EdgeSpec[];
  readonly sites: readonly SiteSpec[];
  readonly redirects: readonly RedirectSpec[];
}
