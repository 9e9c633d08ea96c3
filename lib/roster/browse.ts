import { type BrowserOutput, MdnsBrowser } from "../dns/mdns/browser.ts";
import { MDNS_GROUP } from "../dns/mdns/service.ts";
import type { Clock } from "../io/clock.ts";
import type { Net } from "../io/net.ts";
import { driveOnLink } from "./drive_on_link.ts";
import { type RosterRow, rowOf } from "./row.ts";

/** What {@linkcode browse} needs. */
export interface BrowseOptions {
  readonly clock: Clock;
  readonly net: Net;
  /** The address of the one interface to look on; on all of them if empty. */
  readonly host: string;
  readonly signal: AbortSignal;
  /** Where it looks: this machine's addresses there. */
  readonly joined?: (interfaces: readonly string[]) => void;
  /** A role is there, or something of it has changed. */
  readonly found: (row: RosterRow) => void;
  /** The role with this instance name is gone. */
  readonly lost: (instance: string) => void;
}

/**
 * Looks for roles on the link, by mDNS, until `signal` aborts.
 *
 * @throws {RunError} If no interface takes multicast, or port 5353 cannot be shared.
 */
export async function browse(options: BrowseOptions): Promise<void> {
  const { clock, net, host, signal, joined, found, lost } = options;
  await using socket = await net.joinMulticast(MDNS_GROUP, {
    ...{ host, loopback: host === "", fromGroupPort: true },
  });
  joined?.(socket.interfaces);
  const perform = async (out: BrowserOutput) => {
    if (out.kind === "found") return found(rowOf(out.service));
    if (out.kind === "lost") return lost(out.label);
    joined?.(socket.interfaces); // There may be others by now.
    try {
      await socket.send(out.bytes);
    } catch { /* The interface is down: the next question may get out. */ }
  };
  const machine = new MdnsBrowser();
  await driveOnLink(machine, { socket, perform, clock, signal });
}
