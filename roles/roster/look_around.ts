import { InputError } from "../../lib/core/errors.ts";
import { formatHostPort, isAddress, isIpv6 } from "../../lib/core/address.ts";
import { LinkedAbort, OVER } from "../../lib/io/linked_abort.ts";
import type { RoleContext, RoleResult } from "../../lib/role.ts";
import { browse } from "../../lib/roster/browse.ts";
import type { RosterRow } from "../../lib/roster/row.ts";

/** Longest `--wait`. */
const MAX_WAIT_MS = 3_600_000;

/** The roster's flags. */
interface RosterFlags {
  readonly host: string;
  readonly wait: number;
  readonly only: string | undefined;
  readonly watch: boolean;
}

/** Looks for roles until `--wait` is over, or with `--watch` until `ctx.signal` aborts, and prints those that are there. */
export async function lookAround(
  flags: RosterFlags,
  ctx: RoleContext,
): Promise<void> {
  const { host, wait, only, watch } = flags;
  if (host !== "" && (!isAddress(host) || isIpv6(host))) {
    throw new InputError(
      `--host must be the IPv4 address of an interface, got "${host}"`,
    );
  }
  if (wait > MAX_WAIT_MS) throw new InputError("--wait must be at most 1h");
  const rows = new Map<string, RosterRow>();
  const isMeant = (row: RosterRow) => only === undefined || row.role === only;
  using over = new LinkedAbort(ctx.signal);
  const ended = watch ? undefined : ctx.clock
    .sleepUntil(ctx.clock.nowMs() + wait, over.signal)
    .then(() => over.abort(OVER), () => {});
  try {
    await browse({
      ...{ clock: ctx.clock, net: ctx.net, host, signal: over.signal },
      found(row) {
        if (!isMeant(row)) return;
        rows.set(row.instance, row);
        if (watch) ctx.emit({ type: "instance.found", ...fieldsOf(row) });
      },
      lost(instance) {
        const was = rows.get(instance);
        if (!rows.delete(instance) || was === undefined || !watch) return;
        ctx.emit({
          type: "instance.lost",
          ...{ instance: was.instance, instanceRole: was.role },
        });
      },
    });
  } catch (error) {
    if (!over.signal.aborted || error !== over.signal.reason) throw error;
  } finally {
    over.abort(OVER);
    await ended;
  }
  if (!watch) ctx.finish(resultOf([...rows.values()], only));
}

/** A row as an event, flat. */
function fieldsOf(row: RosterRow) {
  return {
    instance: row.instance,
    instanceRole: row.role,
    addresses: row.addresses.join(" "),
    sockets: socketsOf(row),
    ...(row.admin === undefined ? {} : { admin: formatHostPort(row.admin) }),
    version: row.version,
  };
}

/** Rows by role, then by name. */
function resultOf(
  found: readonly RosterRow[],
  only: string | undefined,
): RoleResult {
  const rows = found.toSorted((a, b) =>
    compare(a.role, b.role) || compare(a.instance, b.instance)
  );
  return {
    text: rows.length === 0
      ? `${
        only === undefined ? "nobody" : `no "${only}"`
      } answers; roles started with --unlisted, on another network, or behind a firewall that stops UDP port 5353 do not`
      : table(rows),
    json: {
      roles: rows.map(({ admin, tellers: _, ...row }) => ({
        ...row,
        admin: admin === undefined ? null : formatHostPort(admin),
      })),
    },
  };
}

function table(rows: readonly RosterRow[]): string {
  const lines = [
    ["ROLE", "NAME", "WHERE", "ADMIN", "VERSION"],
    ...rows.map((row) => [
      row.role,
      row.instance,
      whereOf(row),
      adminOf(row),
      row.version,
    ]),
  ];
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  return lines.map((line) =>
    line.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd()
  ).join("\n");
}

/** Where to ask: one at all addresses is at the role's own, not at those of who reads this. */
function adminOf({ admin, addresses }: RosterRow): string {
  if (admin === undefined) return "-";
  const [host = admin.host] = addresses;
  const isAny = admin.host === "0.0.0.0" || admin.host === "::";
  return formatHostPort(isAny ? { host, port: admin.port } : admin);
}

/** `192.168.1.7 http 8080, udp 8080`. */
function whereOf(row: RosterRow): string {
  const hosts = row.addresses.length > 0 ? row.addresses.join(" ") : "?";
  const sockets = socketsOf(row);
  return sockets === "" ? hosts : `${hosts} ${sockets}`;
}

function socketsOf({ sockets }: RosterRow): string {
  return sockets.map(({ transport, port }) => `${transport} ${port}`)
    .join(", ");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
