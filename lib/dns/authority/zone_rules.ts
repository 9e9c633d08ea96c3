/** What the records of a zone have to be, so that it can be served. */
import { equalBytes } from "../../core/bytes.ts";
import { RECORD_TYPES } from "../codes.ts";
import { displayName, equalNames } from "../name.ts";
import { ZoneFileError } from "./master_lines.ts";
import type { ZoneData, ZoneRecord } from "./zone.ts";

/** Finds the SOA of a zone. @throws {SyntaxError} If there is not one, or no NS record beside it (RFC 1034 §4.2.1). */
export function soaOf({ origin, records }: ZoneData): ZoneRecord {
  const atTop = (type: number) =>
    records.filter((record) =>
      record.type === type && equalNames(record.name, origin)
    );
  const soas = atTop(RECORD_TYPES.SOA);
  const soa = soas[0];
  if (soa === undefined || soas.length > 1) {
    throw new SyntaxError(
      `the zone ${
        displayName(origin)
      } must have one SOA record, got ${soas.length}`,
    );
  }
  if (atTop(RECORD_TYPES.NS).length === 0) {
    throw new SyntaxError(
      `the zone ${displayName(origin)} has no NS record at its top`,
    );
  }
  return soa;
}

/**
 * Checks that a name with a CNAME has nothing else (RFC 1034 §3.6.2).
 *
 * @param byType All records of the name.
 * @param redirected Whether its address depends on who asks, which is other data as well.
 * @throws {SyntaxError} With the line, where the records have one.
 */
export function checkAlias(
  byType: ReadonlyMap<number, readonly ZoneRecord[]>,
  redirected: boolean,
): void {
  const alias = byType.get(RECORD_TYPES.CNAME);
  const [first, second] = alias ?? [];
  if (first === undefined) return;
  const other = [...byType.values()].find((own) => own !== alias)?.[0];
  const extra = other ??
    (second === undefined || equalBytes(first.rdata, second.rdata)
      ? undefined
      : second);
  if (extra === undefined && !redirected) return;
  const rule = `${
    displayName(first.name)
  } is an alias (CNAME) and so can have no other data`;
  const line = Math.max(first.line ?? 0, extra?.line ?? 0);
  throw line === 0 ? new SyntaxError(rule) : new ZoneFileError(line, rule);
}

/** Checks that a name has one DNAME (RFC 6672 §2.4). @throws {SyntaxError} With the line, where the records have one. */
export function checkRenaming(
  byType: ReadonlyMap<number, readonly ZoneRecord[]>,
): void {
  const [first, ...others] = byType.get(RECORD_TYPES.DNAME) ?? [];
  const second = others.find(({ rdata }) => !equalBytes(rdata, first!.rdata));
  if (second === undefined) return;
  const rule = `${displayName(second.name)} has a second DNAME`;
  throw second.line === undefined
    ? new SyntaxError(rule)
    : new ZoneFileError(second.line, rule);
}

/** Leaves out what is in a set of records twice (RFC 2181 §5). */
export function withoutTwins(records: readonly ZoneRecord[]): ZoneRecord[] {
  const seen = new Set<string>();
  return records.filter(({ rdata }) => {
    const key = rdata.join();
    return !seen.has(key) && seen.add(key);
  });
}
