/**
 * Shortest paths in a network of nodes and links with costs (Dijkstra, 1959).
 *
 * The nodes not yet settled wait in a heap by their distance so far: O((nodes + links) log nodes).
 */

/** Nodes are numbered from 0; links lead one way. */
export class Network {
  /** For each node, who leads to it and for what. */
  readonly #into: { readonly from: number; readonly cost: number }[][];

  /** Makes a network of `nodes` nodes and no links. */
  constructor(nodes: number) {
    this.#into = Array.from({ length: nodes }, () => []);
  }

  /** Adds a link; `cost` is 0 or more. */
  link(from: number, to: number, cost: number): void {
    this.#into[to]!.push({ from, cost });
  }

  /** Returns how far it is from each node to `target`; `Infinity` where no path leads there. */
  distancesTo(target: number): Float64Array {
    const distances = new Float64Array(this.#into.length).fill(Infinity);
    distances[target] = 0;
    const heap: Waiting[] = [{ node: target, distance: 0 }];
    for (let next = pop(heap); next !== undefined; next = pop(heap)) {
      // A shorter way to it was found after this one
      if (next.distance > distances[next.node]!) continue;
      for (const { from, cost } of this.#into[next.node]!) {
        const distance = next.distance + cost;
        if (distance >= distances[from]!) continue;
        distances[from] = distance;
        push(heap, { node: from, distance });
      }
    }
    return distances;
  }
}

interface Waiting {
  readonly node: number;
  readonly distance: number;
}

function push(heap: Waiting[], item: Waiting): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]!.distance <= item.distance) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Waiting[]): Waiting | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && right.distance < heap[child]!.distance) {
      child += 1;
    }
    if (heap[child]!.distance >= last.distance) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}

/** A content server of a network. */
export interface PlacedServer {
  /** Its address as text. */
  readonly host: string;
  readonly node: number;
}

/**
 * Returns for each node of `nodes` the servers it can reach, the nearest first, and of equally near ones the first of
 * `servers`.
 */
export function nearestServers(
  network: Network,
  servers: readonly PlacedServer[],
  nodes: readonly number[],
): string[][] {
  const far = servers.map(({ node }) => network.distancesTo(node));
  return nodes.map((node) =>
    servers.map(({ host }, at) => ({ host, distance: far[at]![node]! }))
      .filter(({ distance }) => distance < Infinity)
      // toSorted is stable
      .toSorted((a, b) => a.distance - b.distance)
      .map(({ host }) => host)
  );
}
