/**
 * What a resolver knows of the servers it asks: how quickly they answer (as TCP measures it, RFC 6298), which of them
 * do not, and which do not know EDNS.
 */
import { RecentMap } from "../../core/recent_map.ts";
import type { Rng } from "../../core/rng.ts";
import type { Name } from "../name.ts";
import { nameKey } from "./cache.ts";

/** Where an authority is: a literal address. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

interface Known {
  /** Smoothed round-trip time and how much it varies; a guess until measured. */
  smoothedMs: number;
  variationMs: number;
  isMeasured: boolean;
  /** Questions without an answer since the last answer. */
  failures: number;
  /** Left alone from then on by questions that came later… */
  notAfterMs: number;
  /** …until then, but for one now and then that finds out whether it is back. */
  notBeforeMs: number;
  /** When the next such question may be. */
  nextProbeMs: number;
  hasEdns: boolean;
  /** Zones it was asked about in vain, and until when it is not to be asked before others. */
  readonly lameUntilMs: Map<string, number>;
}

/** What a server is picked for. */
interface PickedFor {
  readonly zone: Name;
  readonly nowMs: number;
  /** When the question came. */
  readonly sinceMs: number;
}

/** Wait for the first answer of a server that was never asked. */
const FIRST_WAIT_MS = 400;
const MIN_WAIT_MS = 100;
const MAX_WAIT_MS = 3000;
/** A server that fails to answer so often in a row is left alone for a while. */
const MAX_FAILURES = 3;
const LEFT_ALONE_MS = 30_000;
/** But one question so often may find out whether it is back; the others need not wait for it in vain. */
const PROBE_MS = 2000;
/** Servers never asked are tried first, in an order drawn by lot. */
const UNKNOWN_MS = 10;
/** The others come back into play: each time one is not chosen, it looks a little quicker. */
const DECAY = 0.98;
/** Who was no help with a zone is asked last for a while; a mistake of its owner may have been repaired since. */
const LAME_MS = 60_000;
const MAX_LAME_ZONES = 64;
const MAX_SERVERS = 4096;

/** See the head of this file. */
export class ServerTable {
  readonly #servers = new RecentMap<string, Known>(MAX_SERVERS);
  readonly #rng: Rng;

  /** Creates a table that knows nobody. */
  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /**
   * Returns the quickest; those that did not answer lately, or were no help with the zone, only if there is no other.
   * Undefined if there are none, or all of them are left alone just now.
   */
  pick<T extends ServerAddress>(
    servers: readonly T[],
    about: PickedFor,
  ): T | undefined {
    let best: { readonly server: T; readonly costMs: number } | undefined;
    for (const server of servers) {
      const costMs = this.#costMs(server, about);
      if (costMs === Infinity) continue;
      if (best === undefined || costMs < best.costMs) best = { server, costMs };
    }
    for (const server of servers) {
      if (server !== best?.server) this.#known(server).smoothedMs *= DECAY;
    }
    if (best === undefined) return undefined;
    const known = this.#known(best.server);
    if (about.nowMs < known.notBeforeMs) {
      known.nextProbeMs = about.nowMs + PROBE_MS;
    }
    return best.server;
  }

  /** How long to wait for its answer. */
  waitMs(server: ServerAddress): number {
    const { smoothedMs, variationMs, isMeasured, failures } = this.#known(
      server,
    );
    const waitMs = isMeasured ? smoothedMs + 4 * variationMs : FIRST_WAIT_MS;
    return Math.min(
      MAX_WAIT_MS,
      Math.max(MIN_WAIT_MS, waitMs) * 2 ** Math.min(failures, 5),
    );
  }

  /** Notes an answer after `elapsedMs`. */
  answered(server: ServerAddress, elapsedMs: number): void {
    const known = this.#known(server);
    const error = Math.abs(elapsedMs - known.smoothedMs);
    known.variationMs = known.isMeasured
      ? 0.75 * known.variationMs + 0.25 * error
      : elapsedMs / 2;
    known.smoothedMs = known.isMeasured
      ? 0.875 * known.smoothedMs + 0.125 * elapsedMs
      : elapsedMs;
    known.isMeasured = true;
    known.failures = 0;
    known.notBeforeMs = 0;
  }

  /** Notes that no answer came. */
  failed(server: ServerAddress, nowMs: number): void {
    const known = this.#known(server);
    known.failures += 1;
    if (known.failures === MAX_FAILURES) known.notAfterMs = nowMs;
    if (known.failures >= MAX_FAILURES) {
      known.notBeforeMs = nowMs + LEFT_ALONE_MS;
      known.nextProbeMs = nowMs + PROBE_MS;
    }
  }

  /** Whether it understands EDNS, as far as is known. */
  hasEdns(server: ServerAddress): boolean {
    return this.#known(server).hasEdns;
  }

  /** Notes that it does not. */
  hasNoEdns(server: ServerAddress): void {
    this.#known(server).hasEdns = false;
  }

  /** Notes that it is no server of the zone, or does as if it were none. */
  lame(
    server: ServerAddress,
    { zone, nowMs }: { readonly zone: Name; readonly nowMs: number },
  ): void {
    const { lameUntilMs } = this.#known(server);
    if (lameUntilMs.size >= MAX_LAME_ZONES) lameUntilMs.clear();
    lameUntilMs.set(nameKey(zone), nowMs + LAME_MS);
  }

  #costMs(
    server: ServerAddress,
    { zone, nowMs, sinceMs }: PickedFor,
  ): number {
    const known = this.#known(server);
    const { smoothedMs, failures } = known;
    const isLeftAlone = nowMs < known.notBeforeMs;
    // Who finds out that a server is silent goes on trying; who comes later need not wait in vain.
    const isLater = sinceMs >= known.notAfterMs;
    if (isLeftAlone && isLater && nowMs < known.nextProbeMs) return Infinity;
    const isLame = nowMs < (known.lameUntilMs.get(nameKey(zone)) ?? 0);
    const penaltyMs = isLame || isLeftAlone ? 1e6 : 0;
    return smoothedMs + failures * FIRST_WAIT_MS + penaltyMs;
  }

  #known({ host, port }: ServerAddress): Known {
    const key = `${host} ${port}`;
    let known = this.#servers.get(key);
    if (known === undefined) {
      known = {
        smoothedMs: UNKNOWN_MS * this.#rng(),
        variationMs: 0,
        isMeasured: false,
        failures: 0,
        notAfterMs: 0,
        notBeforeMs: 0,
        nextProbeMs: 0,
        hasEdns: true,
        lameUntilMs: new Map(),
      };
      this.#servers.set(key, known);
    }
    return known;
  }
}
