import { flag, type FlagValues } from "../../../lib/cli/flags.ts";
import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { InputError, messageOf } from "../../../lib/core/errors.ts";
import { parseSiteFile } from "../../../lib/dns/authority/site_file.ts";
import type { EdgeSpec, SiteSpec } from "../../../lib/dns/authority/zone.ts";
import { parseGeography } from "../../../lib/dns/course/geography.ts";
import { parseLinkStates } from "../../../lib/dns/course/link_states.ts";
import { parseServerList } from "../../../lib/dns/course/server_list.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** A file that a person or a script wrote; a larger one is a mistake. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/** The flags that name files of edges and of who is near them. */
export const EDGE_FILE_FLAGS = {
  servers: flag.path({
    placeholder: "FILE",
    help:
      "Edges that --domain leads to: an address a line, or NUM_SERVERS: n and then addresses with ports",
  }),
  sites: flag.path({
    placeholder: "FILE",
    help: "Many sites: NETWORK EDGE[,EDGE] a line",
  }),
  geography: flag.path({
    placeholder: "FILE",
    help:
      "Clients, edges and links with costs (NUM_NODES, NUM_LINKS): each client's nearest edge, as --policy geo",
  }),
  lsa: flag.path({
    placeholder: "FILE",
    help:
      "Link-state advertisements (SENDER SEQUENCE NEIGHBOUR,…): each client's nearest of --servers by hops, as --policy geo",
  }),
};

/** The values of {@linkcode EDGE_FILE_FLAGS}. */
export type EdgeFileFlagValues = FlagValues<typeof EDGE_FILE_FLAGS>;

/** Edges and sites of files. */
export interface EdgeFiles {
  readonly edges: readonly EdgeSpec[];
  readonly sites: readonly SiteSpec[];
  /** Where an edge that the sites need is named: `--sites near.txt: line 7`. */
  readonly namedIn: ReadonlyMap<string, string>;
}

/** The files that a server reads for its edges, beside its zones. */
export function edgeFilesOf(
  { servers, sites, geography, lsa }: EdgeFileFlagValues,
): readonly string[] {
  return [servers, sites, geography, lsa].filter((path) => path !== undefined);
}

/** Reads the files. @throws {InputError} That names the file and the line. */
export async function readEdgeFiles(
  flags: EdgeFileFlagValues,
  ctx: RoleContext,
): Promise<EdgeFiles> {
  const { servers, sites, geography, lsa } = flags;
  const edges: EdgeSpec[] = [];
  const near: SiteSpec[] = [];
  const namedIn = new Map<string, string>();
  if (servers !== undefined) {
    edges.push(...await readFile("servers", servers, ctx, parseServerList));
  }
  if (geography !== undefined) {
    const map = await readFile("geography", geography, ctx, parseGeography);
    const known = new Set(edges.map(({ name }) => name));
    edges.push(...map.edges.filter(({ name }) => !known.has(name)));
    near.push(...map.sites);
  }
  if (lsa !== undefined) {
    const hosts = edges.map(({ name }) => name);
    near.push(
      ...await readFile(
        "lsa",
        lsa,
        ctx,
        (text) => parseLinkStates(text, hosts),
      ),
    );
  }
  if (sites !== undefined) {
    const file = await readFile("sites", sites, ctx, parseSiteFile);
    near.push(...file.sites);
    for (const [edge, line] of file.lineOf) {
      namedIn.set(edge, `--sites ${sites}: line ${line}`);
    }
  }
  return { edges, sites: near, namedIn };
}

async function readFile<T>(
  name: string,
  path: string,
  ctx: RoleContext,
  parse: (text: string) => T,
): Promise<T> {
  try {
    const bytes = await ctx.files.read(path, { maxBytes: MAX_FILE_BYTES });
    return parse(fromUtf8(bytes));
  } catch (error) {
    throw new InputError(`--${name} ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
