import { isAddress } from "../../../lib/core/address.ts";
import {
  type Flag,
  flag,
  flagKind,
  type FlagValues,
} from "../../../lib/cli/flags.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { typeNumber } from "../../../lib/dns/codes.ts";
import type { EdgeBook } from "../../../lib/dns/select/edge.ts";
import { parseSteering, POLICY_NAMES } from "../../../lib/dns/select/mod.ts";
import type { ZoneData } from "../../../lib/dns/authority/zone.ts";
import {
  parseAliasFlag,
  parseDomainFlag,
  parseEdgeFlag,
  parseSiteFlag,
  zonesOfFlags,
} from "../../../lib/dns/authority/zone_flags.ts";
import { ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import { inSlices } from "../../../lib/io/in_slices.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { CourseFlagValues } from "./course.ts";
import { EDGE_FILE_FLAGS, edgeFilesOf, readEdgeFiles } from "./edge_files.ts";
import { readZoneFile } from "./zone_files.ts";

/** A flag for values that `parse` reads, which may be given several times. */
export function words<T>(
  placeholder: string,
  help: string,
  parse: (text: string) => T,
): Flag<readonly NonNullable<T>[]> {
  return flag.list(flagKind(placeholder, parse)({ help }));
}

/** A record type by name or as `TYPE257`. */
export const typeFlag: Flag<number> = flagKind("TYPE", (text) => {
  const type = typeNumber(text);
  if (type !== undefined) return type;
  throw new RangeError(
    `must be a record type such as A, AAAA or CNAME, got "${text}"`,
  );
})({ default: "A", help: "Record type" });

/** The flags that say what the server answers. */
export const ZONE_FLAGS = {
  zone: flag.list(flag.path({
    placeholder: "FILE",
    help: "Zones to serve: a master file, or JSON with edges and sites",
  })),
  domain: words(
    "NAME",
    "A name to answer with an edge of --edge",
    parseDomainFlag,
  ),
  edge: words(
    "ADDR[,weight=N]",
    "An edge that --domain leads to; port=N and admin=[ADDR:]PORT say where it is checked and tells its load",
    parseEdgeFlag,
  ),
  site: words(
    "CIDR=EDGE",
    "Clients of this network are near this edge (--policy geo)",
    parseSiteFlag,
  ),
  ...EDGE_FILE_FLAGS,
  cname: words(
    "NAME=TARGET",
    "A name that is an alias, in its own zone",
    parseAliasFlag,
  ),
  policy: flagKind("NAME[,NAME]", parseSteering)({
    choices: POLICY_NAMES,
    help: `How an edge is chosen (${
      POLICY_NAMES.join(", ")
    }), or several, each among what the one before it left, such as geo,load; wins over the zone file's (which has round-robin if it says nothing)`,
  }),
  ttl: flag.duration({
    help:
      "How long an answer with an edge may be kept, in whole seconds; 20s unless the zone file says otherwise",
  }),
};

/** The values of {@linkcode ZONE_FLAGS}, where the server listens, and whether it is a course's. */
export type ZoneFlagValues = FlagValues<typeof ZONE_FLAGS> & {
  readonly host: string;
  readonly course?: CourseFlagValues["course"];
};

/** The files that are read again when they change. */
export function filesOf(flags: ZoneFlagValues): readonly string[] {
  return [...flags.zone, ...edgeFilesOf(flags)];
}

/** What a map of a network is for. */
const BY_SITE = parseSteering("geo");

/** Waits for what `read` makes of the user's text; what it finds wrong is told in one line, with exit code 2. */
async function asInput<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) {
      throw error;
    }
    throw new InputError(error.message, { cause: error });
  }
}

function ttlSecondsOf(ttlMs: number | undefined): number | undefined {
  if (ttlMs === undefined) return undefined;
  if (ttlMs % 1000 !== 0 || ttlMs > 0x7fffffff * 1000) {
    throw new InputError(
      `--ttl: DNS counts in whole seconds, 0s to 2147483647s, got ${ttlMs} ms`,
    );
  }
  return ttlMs / 1000;
}

function check(flags: ZoneFlagValues): void {
  if (flags.zone.length + flags.domain.length + flags.cname.length === 0) {
    throw new InputError(
      "dns-redirector needs --zone FILE, or --domain NAME with --edge ADDR, to know what to answer",
    );
  }
  const { servers, geography, lsa } = flags;
  const hasEdges = flags.edge.length > 0 || servers !== undefined;
  if (flags.domain.length > 0 && !hasEdges && geography === undefined) {
    throw new InputError(
      "--domain needs at least one --edge ADDR to lead to, or a file of --servers or --geography",
    );
  }
  if (lsa !== undefined && servers === undefined) {
    throw new InputError("--lsa needs --servers FILE, to know who is a server");
  }
  refuseTwice("--edge", flags.edge.map(({ name }) => name));
  refuseTwice("--site", flags.site.map(({ name }) => name));
}

function refuseTwice(flag: string, given: readonly string[]): void {
  const twice = given.find((each, index) => given.indexOf(each) < index);
  if (twice === undefined) return;
  const instead = flag === "--edge"
    ? "weight=N gives one a larger share"
    : `all its edges stand in one: ${twice}=EDGE,EDGE`;
  throw new InputError(`${flag} ${twice} is given twice: ${instead}`);
}

/**
 * Reads the zone files and makes the table the responder answers from.
 *
 * @param options.included Takes the files that those of `--zone` include, also when one of them is not there or wrong.
 * @throws {InputError} If flags and files do not make zones that can be served.
 */
export async function loadZones(
  flags: ZoneFlagValues,
  ctx: RoleContext,
  { book, included }: {
    readonly book?: EdgeBook;
    readonly included?: Set<string>;
  } = {},
): Promise<ZoneTable> {
  check(flags);
  const data: ZoneData[] = [];
  for (const path of flags.zone) {
    data.push(...await readZoneFile(path, ctx, included));
  }
  const isSpecific = isAddress(flags.host) &&
    !["0.0.0.0", "::"].includes(flags.host);
  // The name servers of course projects have 0
  const usualTtlMs = flags.course === undefined ? undefined : 0;
  const ttlSeconds = ttlSecondsOf(flags.ttl ?? usualTtlMs);
  const files = await readEdgeFiles(flags, ctx);
  const edges = [...flags.edge, ...files.edges];
  const isMapped = flags.geography !== undefined || flags.lsa !== undefined;
  const steering = flags.policy ?? (isMapped ? BY_SITE : undefined);
  const table = await asInput(() => {
    data.push(...zonesOfFlags({
      domains: flags.domain,
      aliases: flags.cname,
      edges,
      ...(isSpecific ? { serverAddress: flags.host } : {}),
    }));
    const steps = ZoneTable.steps(data, {
      edges,
      sites: [...flags.site, ...files.sites],
      ...(book === undefined ? {} : { book }),
      ...(steering === undefined ? {} : { steering }),
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    });
    return inSlices(steps, ctx);
  });
  const known = table.edges();
  const named = new Map([
    ...flags.edge.map(({ name }) => [name, "--edge"] as const),
    ...flags.site.flatMap(({ edges }) =>
      edges.map((edge) => [edge, "--site"] as const)
    ),
  ]);
  for (const [edge, where] of [...named, ...files.namedIn]) {
    if (!known.has(edge)) {
      throw new InputError(
        `${where} names an edge that no name leads to: ${edge}`,
      );
    }
  }
  return table;
}
