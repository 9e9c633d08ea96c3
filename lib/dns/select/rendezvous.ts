/**
 * Rendezvous hashing (highest random weight; Thaler and Ravishankar, 1998).
 *
 * Every edge gets a score from a hash of itself, the name and the client's network; the highest wins. Everybody who
 * computes it agrees without talking, and when an edge goes, only its own clients move: all others still have their
 * highest score. With weights w the score is w / -ln(u), u being the hash as a number in (0, 1): the edge then wins a
 * share w of the networks (Schindelhauer and Schomaker, 2005).
 */
import type { Edge } from "./edge.ts";
import type { Picked, SelectionRequest } from "./selection.ts";

/** Clients are told apart by this many bits, as resolvers do it for privacy (RFC 7871 §11.1). */
const NETWORK_BITS = { ipv4: 24, ipv6: 56 } as const;

/** Mixes all bits of a 32-bit number into all others. */
function mix(value: number): number {
  let mixed = value ^ value >>> 16;
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return (mixed ^ mixed >>> 16) >>> 0;
}

function networkHash(client: Uint8Array, length: number): number {
  let hash = length;
  for (let at = 0; 8 * at < length; at++) {
    const kept = Math.min(8, length - 8 * at);
    const byte = (client[at] ?? 0) & (0xff << (8 - kept));
    hash = mix(hash ^ Math.imul(byte + 1, 0x9e3779b1));
  }
  return hash;
}

function score(edge: Edge, key: number): number {
  const uniform = (mix(edge.hash ^ key) + 0.5) / 2 ** 32;
  return edge.weight / -Math.log(uniform);
}

/** Sends each network of clients always to the same edge; see the head of this file. Of equal scores the first wins. */
export function pickRendezvous(request: SelectionRequest): Picked {
  const { edges, client, nameHash } = request;
  const bits = client.length === 4 ? NETWORK_BITS.ipv4 : NETWORK_BITS.ipv6;
  const scopeLength = Math.min(request.clientLength, bits);
  const key = mix(nameHash ^ networkHash(client, scopeLength));
  let best = 0;
  let bestScore = -1;
  for (let index = 0; index < edges.length; index++) {
    const edgeScore = score(edges[index]!, key);
    if (edgeScore > bestScore) {
      best = index;
      bestScore = edgeScore;
    }
  }
  return {
    index: best,
    scopeLength,
    reason: "highest score for the client's network and the name",
  };
}
