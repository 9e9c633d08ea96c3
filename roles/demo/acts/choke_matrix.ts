/** Who served whom, and for how long: read off the events of the peers, `peer.unchoked` and `peer.choked`. */
import type { SwarmOutcome } from "../swarm/cast.ts";

/** One peer's slot at another. */
export interface Service {
  readonly giver: string;
  readonly taker: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** It was drawn by lot. */
  readonly optimistic: boolean;
  readonly reason: string;
}

/** A stretch of time: for each giver (row) and taker (column) the share of it, 0 to 1, in which the taker had a slot; NaN on the diagonal. */
export interface Round {
  readonly fromMs: number;
  readonly toMs: number;
  readonly shares: readonly (readonly number[])[];
}

/** Every service of a swarm, by time of its beginning. A slot also ends when its taker has everything, or either leaves. */
export function servicesOf(outcome: SwarmOutcome): readonly Service[] {
  const ends = new Map(
    outcome.members.map(({ member, completedAtMs, leftAtMs }) => [
      member.name,
      {
        asTaker: Math.min(completedAtMs ?? Infinity, leftAtMs ?? Infinity),
        asGiver: leftAtMs ?? Infinity,
      },
    ]),
  );
  const open = new Map<string, Service>();
  const services: Service[] = [];
  const close = (key: string, atMs: number) => {
    const service = open.get(key);
    if (service === undefined) return;
    open.delete(key);
    const toMs = Math.min(
      ...[atMs, outcome.endedAtMs],
      ends.get(service.taker)?.asTaker ?? Infinity,
      ends.get(service.giver)?.asGiver ?? Infinity,
    );
    if (toMs > service.fromMs) services.push({ ...service, toMs });
  };
  for (const { atMs, name: giver, event } of outcome.observed) {
    if (!("peerId" in event)) continue;
    const taker = outcome.names.get(event.peerId);
    if (taker === undefined) continue;
    const key = `${giver} ${taker}`;
    if (event.type === "peer.unchoked") {
      const { optimistic, reason } = event;
      close(key, atMs);
      open.set(key, {
        ...{ giver, taker, fromMs: atMs, toMs: atMs, optimistic, reason },
      });
    } else if (event.type !== "peer.connected") close(key, atMs);
  }
  for (const key of [...open.keys()]) close(key, Infinity);
  return services.sort((a, b) => a.fromMs - b.fromMs);
}

/** Cuts the time into rounds of `roundMs` from the beginning to the end. */
export function roundsOf(
  services: readonly Service[],
  options: {
    readonly names: readonly string[];
    readonly roundMs: number;
    readonly endMs: number;
  },
): readonly Round[] {
  const { names, roundMs, endMs } = options;
  const at = new Map(names.map((name, index) => [name, index]));
  const rounds: Round[] = [];
  for (let fromMs = 0; fromMs < endMs; fromMs += roundMs) {
    const toMs = Math.min(endMs, fromMs + roundMs);
    const shares = names.map((_, row) =>
      names.map((_, column) => row === column ? NaN : 0)
    );
    for (const service of services) {
      const row = at.get(service.giver);
      const column = at.get(service.taker);
      const lastedMs = Math.min(toMs, service.toMs) -
        Math.max(fromMs, service.fromMs);
      if (row === undefined || column === undefined || lastedMs <= 0) continue;
      shares[row]![column]! += lastedMs / (toMs - fromMs);
    }
    rounds.push({ fromMs, toMs, shares });
  }
  return rounds;
}
