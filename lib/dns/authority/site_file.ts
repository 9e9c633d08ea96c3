import { parseCidr } from "../../core/address.ts";
import { FileLineError, inLine, readFileLines } from "../file_lines.ts";
import { parseEdgeNames } from "./zone_flags.ts";
import type { SiteSpec } from "./zone.ts";

/** Networks of a file, and where each of their edges is first named, for what is wrong with it. */
export interface SiteFile {
  readonly sites: readonly SiteSpec[];
  readonly lineOf: ReadonlyMap<string, number>;
}

/**
 * Reads networks and their edges, `NETWORK EDGE[,EDGE]` a line: as many `--site`s as there are lines, gathered by edges.
 *
 * @throws {SyntaxError} That names the line.
 */
export function parseSiteFile(text: string): SiteFile {
  const subnets = new Map<string, ReturnType<typeof parseCidr>[]>();
  const seen = new Set<string>();
  const lineOf = new Map<string, number>();
  for (const line of readFileLines(text)) {
    const [network = "", edges = "", ...more] = line.words;
    if (edges === "" || more.length > 0) {
      throw new FileLineError(
        line.number,
        `must be "NETWORK EDGE[,EDGE]", got "${line.words.join(" ")}"`,
      );
    }
    const cidr = inLine(line, () => parseCidr(network));
    const named = inLine(line, () => parseEdgeNames(edges));
    const key = `${cidr.bytes.join(".")}/${cidr.prefixLength}`;
    if (seen.has(key)) {
      throw new FileLineError(line.number, `${network} is given twice`);
    }
    seen.add(key);
    const own = subnets.get(edges);
    if (own === undefined) subnets.set(edges, [cidr]);
    else own.push(cidr);
    for (const edge of named) {
      if (!lineOf.has(edge)) lineOf.set(edge, line.number);
    }
  }
  return {
    sites: [...subnets].map(([edges, own]) => ({
      name: edges,
      subnets: own,
      edges: parseEdgeNames(edges),
    })),
    lineOf,
  };
}
