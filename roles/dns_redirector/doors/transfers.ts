import { type Cidr, cidrContains } from "../../../lib/core/address.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { RCODES } from "../../../lib/dns/codes.ts";
import { displayName } from "../../../lib/dns/name.ts";
import { transferMessages } from "../../../lib/dns/authority/zone_transfer.ts";
import type { Zone, ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** Zones that are sent at the same time; BIND's default. */
const MAX_TRANSFERS = 10;

/** Sends whole zones to those who may have them (`--allow-transfer`). */
export class Transfers {
  readonly #allowed: readonly Cidr[];
  readonly #ctx: RoleContext;
  #running = 0;

  constructor(allowed: readonly Cidr[], ctx: RoleContext) {
    this.#allowed = allowed;
    this.#ctx = ctx;
  }

  /** Returns the code for who asks from `address`: `NOERROR`, `REFUSED`, or `SERVFAIL` (come back later) when too many run. */
  readonly verdict = (address: Uint8Array): number => {
    if (!this.#allowed.some((cidr) => cidrContains(cidr, address))) {
      return RCODES.REFUSED;
    }
    return this.#running < MAX_TRANSFERS ? RCODES.NOERROR : RCODES.SERVFAIL;
  };

  /** Sends a zone as it is in `table`, whatever is read later. Resolves when it is sent, or its receiver gone. */
  async send(
    { table, zone, query }: {
      readonly table: ZoneTable;
      readonly zone: Zone;
      readonly query: Uint8Array;
    },
    to: {
      readonly remote: string;
      readonly write: (message: Uint8Array) => Promise<void>;
    },
  ): Promise<void> {
    this.#running += 1;
    let sentBytes = 0;
    let messages = 0;
    try {
      for (const message of transferMessages(table, zone, query)) {
        await to.write(message);
        sentBytes += message.length;
        messages += 1;
      }
      this.#ctx.emit({
        type: "zone.transferred",
        zone: displayName(zone.origin),
        serial: zone.serial,
        remote: to.remote,
        messages,
        sentBytes,
      });
    } catch (error) {
      // The receiver is gone; it may come back
      if (!(error instanceof RunError)) throw error;
    } finally {
      this.#running -= 1;
    }
  }
}
