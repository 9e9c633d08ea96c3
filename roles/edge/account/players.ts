import {
  type Cmcd,
  cmcdOfHeaders,
  parseCmcd,
  takeCmcd,
} from "../../../lib/http/cmcd.ts";
import { RecentMap } from "../../../lib/core/recent_map.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { family, label } from "./metrics.ts";

/** Most players remembered, the longest silent forgotten first. */
const MAX_PLAYERS = 1000;
/** Who has said nothing for so long is not shown as playing. */
const SILENT_MS = 60_000;
/** Events told of one second; a class has fewer players. */
const MAX_EVENTS = 100;

/** What a player said last, and what it said in all. */
export interface Player {
  /** Its session, or where it comes from. */
  readonly id: string;
  readonly remote: string;
  contentId: string | undefined;
  bufferMs: number | undefined;
  bitsPerSecond: number | undefined;
  throughputBitsPerSecond: number | undefined;
  playbackRate: number | undefined;
  requests: number;
  stalls: number;
  seenAtMs: number;
}

/** A request as the cache is to see it, and what it says of its player. */
export interface Heard {
  readonly target: string;
  readonly cmcd: Cmcd;
}

/**
 * What a request says of its player, and the target without it: the query parameter would make every URL another one.
 * Undefined when it says nothing.
 */
export function heardIn(request: HttpRequest): Heard | undefined {
  const { target, cmcd } = takeCmcd(request.target);
  const text = cmcd ?? cmcdOfHeaders(request.headers);
  return text === undefined ? undefined : { target, cmcd: parseCmcd(text) };
}

/** The players that say how they do (CMCD), each as one line of a page, of the metrics, and as events. */
export class Players {
  readonly #ctx: Pick<RoleContext, "clock" | "emit">;
  readonly #players = new RecentMap<string, Player>(MAX_PLAYERS);
  #secondEndsAtMs = -Infinity;
  #told = 0;

  /** Creates an account of no players. */
  constructor(ctx: Pick<RoleContext, "clock" | "emit">) {
    this.#ctx = ctx;
  }

  /** Those that spoke in the last minute, by their ids: on a page each keeps its place while it speaks. */
  playing(): readonly Player[] {
    const since = this.#ctx.clock.nowMs() - SILENT_MS;
    return [...this.#players.values()]
      .filter(({ seenAtMs }) => seenAtMs >= since)
      .sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** The lines for `/metrics`. */
  metrics(): string {
    const players = this.playing();
    const samples = (value: (player: Player) => number | undefined) =>
      players.flatMap((player) => {
        const number = value(player);
        return number === undefined
          ? []
          : [[label({ player: player.id }), number] as const];
      });
    return [
      family(
        "player_buffer_seconds",
        "gauge",
        "What players say of their buffer (CMCD bl).",
        samples(({ bufferMs }) => bufferMs && bufferMs / 1000),
      ),
      family(
        "player_bits_per_second",
        "gauge",
        "The rate players ask for (CMCD br).",
        samples(({ bitsPerSecond }) => bitsPerSecond),
      ),
      family(
        "player_stalls_total",
        "counter",
        "Times players ran out of buffer (CMCD bs).",
        samples(({ stalls }) => stalls),
      ),
    ].join("");
  }

  /** Notes what the player at the address `remote` said. */
  note(remote: string, said: Cmcd): void {
    const id = said.sessionId ?? remote;
    const before = this.#players.get(id);
    const player: Player = before ?? {
      id,
      remote,
      contentId: undefined,
      bufferMs: undefined,
      bitsPerSecond: undefined,
      throughputBitsPerSecond: undefined,
      playbackRate: undefined,
      requests: 0,
      stalls: 0,
      seenAtMs: 0,
    };
    player.requests += 1;
    if (said.stalled) player.stalls += 1;
    player.seenAtMs = this.#ctx.clock.nowMs();
    player.contentId = said.contentId ?? player.contentId;
    player.bufferMs = said.bufferMs ?? player.bufferMs;
    player.playbackRate = said.playbackRate ?? player.playbackRate;
    player.throughputBitsPerSecond = said.throughputBitsPerSecond ??
      player.throughputBitsPerSecond;
    // Of audio, text and manifests the rate says nothing of the quality seen.
    if (said.objectType === undefined || /^(v|av)$/.test(said.objectType)) {
      player.bitsPerSecond = said.bitsPerSecond ?? player.bitsPerSecond;
    }
    this.#players.set(id, player);
    this.#tell(player, said);
  }

  #tell(player: Player, said: Cmcd): void {
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs >= this.#secondEndsAtMs) {
      this.#secondEndsAtMs = nowMs + 1000;
      this.#told = 0;
    }
    this.#told += 1;
    if (this.#told > MAX_EVENTS) return;
    const { id, remote, bufferMs, bitsPerSecond, stalls } = player;
    const { throughputBitsPerSecond } = said;
    this.#ctx.emit({
      type: "player.reported",
      player: id,
      remote,
      ...(said.objectType === undefined ? {} : { objectType: said.objectType }),
      ...(bufferMs === undefined ? {} : { bufferMs }),
      ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
      ...(throughputBitsPerSecond === undefined
        ? {}
        : { throughputBitsPerSecond }),
      stalled: said.stalled,
      stalls,
    });
  }
}
