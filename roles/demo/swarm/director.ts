/**
 * Lets a swarm's members come and go as planned, and keeps the record: a machine, so that processes and virtual time are
 * played by the same rules.
 *
 *     start, observed events, timeouts --> Director --> join, leave, finish
 */
import type { Machine } from "../../../lib/core/machine.ts";
import type {
  AvailabilityPoint,
  Member,
  MemberOutcome,
  Observed,
  SwarmOutcome,
  SwarmPlan,
} from "./cast.ts";

/** What happens to a {@linkcode Director}. */
export type DirectorInput =
  | { readonly kind: "timeout" }
  | ({ readonly kind: "observed" } & Observed);

/** What a {@linkcode Director} wants. */
export type DirectorOutput =
  | { readonly kind: "join"; readonly member: Member }
  | { readonly kind: "leave"; readonly member: Member }
  | { readonly kind: "finish" };

/** Without a new piece anywhere for so long, and a piece that nobody has, nothing will come any more. */
const STUCK_MS = 5_000;
/** Events that are kept: who serves whom. */
const KEPT = /^peer\.(connected|disconnected|unchoked|choked)$/;

/** A member while it is there. */
interface Part {
  readonly member: Member;
  readonly pieces: Set<number>;
  joinedAtMs: number | null;
  completedAtMs: number | null;
  leftAtMs: number | null;
  sentBytes: number;
}

/** See the head of this file. Members that join at 0 are there when it starts. */
export class Director implements Machine<DirectorInput, DirectorOutput> {
  readonly #plan: SwarmPlan;
  readonly #beganAtMs: number;
  readonly #pieceCount: number;
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #copies: Int32Array;
  readonly #outside: Int32Array;
  readonly #observed: Observed[] = [];
  readonly #availability: AvailabilityPoint[] = [];
  readonly #names = new Map<string, string>();
  #outsideCount = 0;
  #firstCopyAtMs: number | null = null;
  #lastPieceAtMs = 0;
  #endedAtMs = 0;
  #end: SwarmOutcome["end"] | null = null;

  /** Begins at `beganAtMs`: those who join at 0 are there. Every other time is since then. */
  constructor(plan: SwarmPlan, beganAtMs: number) {
    this.#plan = plan;
    this.#beganAtMs = beganAtMs;
    this.#pieceCount = Math.ceil(plan.fileBytes / plan.pieceBytes);
    this.#copies = new Int32Array(this.#pieceCount);
    this.#outside = new Int32Array(this.#pieceCount);
    this.#parts = new Map(plan.members.map((member) => [member.name, {
      member,
      pieces: new Set<number>(),
      joinedAtMs: null,
      completedAtMs: null,
      leftAtMs: null,
      sentBytes: 0,
    }]));
    for (const part of this.#parts.values()) {
      if (part.member.joinsAtMs === 0) this.#join(part, 0);
    }
    this.#note(0);
  }

  /** The next arrival or departure, or when nothing is expected any more. */
  get deadlineMs(): number {
    if (this.#end !== null) return Infinity;
    let next = this.#plan.endsAtMs;
    let expected = false;
    for (const part of this.#parts.values()) {
      expected ||= part.joinedAtMs === null;
      next = Math.min(
        next,
        part.joinedAtMs === null ? part.member.joinsAtMs : leaveAtMs(part),
      );
    }
    if (this.#starving && !expected) {
      next = Math.min(next, this.#lastPieceAtMs + STUCK_MS);
    }
    return this.#beganAtMs + next;
  }

  /** Whose id it is; learned from whoever knows. */
  identify(peerId: string, name: string): void {
    this.#names.set(peerId, name);
  }

  /** Takes an input; nothing is heard any more after `finish`. */
  handle(input: DirectorInput, clockMs: number): DirectorOutput[] {
    if (this.#end !== null) return [];
    const nowMs = clockMs - this.#beganAtMs;
    const out: DirectorOutput[] = [];
    if (input.kind === "observed") this.#observe(input);
    for (const part of this.#parts.values()) {
      const { member } = part;
      if (part.joinedAtMs === null && member.joinsAtMs <= nowMs) {
        this.#join(part, nowMs);
        this.#note(nowMs);
        out.push({ kind: "join", member });
      }
      if (part.joinedAtMs !== null && this.#leaves(part, nowMs)) {
        this.#leave(part, nowMs);
        out.push({ kind: "leave", member });
      }
    }
    this.#end = this.#ending(nowMs);
    if (this.#end === null) return out;
    this.#endedAtMs = nowMs;
    this.#note(nowMs);
    return [...out, { kind: "finish" }];
  }

  /** What came of it. */
  get outcome(): SwarmOutcome {
    return {
      members: [...this.#parts.values()].map((part): MemberOutcome => ({
        member: part.member,
        joinedAtMs: part.joinedAtMs,
        completedAtMs: part.completedAtMs,
        leftAtMs: part.leftAtMs,
        share: part.pieces.size / this.#pieceCount,
      })),
      availability: this.#availability,
      observed: this.#observed,
      firstCopyAtMs: this.#firstCopyAtMs,
      endedAtMs: this.#endedAtMs,
      end: this.#end ?? "time",
      names: this.#names,
    };
  }

  #observe({ name, event, atMs }: Observed): void {
    const part = this.#parts.get(name);
    if (part === undefined || part.leftAtMs !== null) return;
    if (KEPT.test(event.type)) this.#observed.push({ atMs, name, event });
    if (event.type === "peer.progressed") part.sentBytes = event.uploadedBytes;
    if (event.type !== "piece.verified") return;
    if (part.pieces.has(event.pieceIndex)) return;
    this.#add(part, event.pieceIndex);
    this.#lastPieceAtMs = atMs;
    if (part.pieces.size === this.#pieceCount) part.completedAtMs = atMs;
    this.#note(atMs);
  }

  #add(part: Part, pieceIndex: number): void {
    part.pieces.add(pieceIndex);
    this.#copies[pieceIndex]! += 1;
    if (part.member.isSeed) return;
    this.#outside[pieceIndex]! += 1;
    if (this.#outside[pieceIndex] === 1) this.#outsideCount += 1;
  }

  #join(part: Part, nowMs: number): void {
    part.joinedAtMs = nowMs;
    if (!part.member.isSeed) return;
    for (let at = 0; at < this.#pieceCount; at++) this.#add(part, at);
  }

  #leaves(part: Part, nowMs: number): boolean {
    if (part.leftAtMs !== null) return false;
    if (leaveAtMs(part) <= nowMs) return true;
    const { leaves } = part.member;
    if (leaves.kind === "share") {
      return part.pieces.size >= leaves.share * this.#pieceCount;
    }
    if (leaves.kind === "sent") return part.sentBytes >= leaves.bytes;
    if (leaves.kind !== "first-copy") return false;
    if (this.#outsideCount < this.#pieceCount) return false;
    this.#firstCopyAtMs ??= nowMs;
    return true;
  }

  #leave(part: Part, nowMs: number): void {
    part.leftAtMs = nowMs;
    for (const pieceIndex of part.pieces) {
      this.#copies[pieceIndex]! -= 1;
      if (part.member.isSeed) continue;
      this.#outside[pieceIndex]! -= 1;
      if (this.#outside[pieceIndex] === 0) this.#outsideCount -= 1;
    }
    this.#note(nowMs);
  }

  /** A piece is at nobody: what is missing cannot be had. */
  get #starving(): boolean {
    return this.#copies.includes(0);
  }

  #ending(nowMs: number): SwarmOutcome["end"] | null {
    if (
      this.#firstCopyAtMs === null && this.#outsideCount === this.#pieceCount
    ) this.#firstCopyAtMs = nowMs;
    const parts = [...this.#parts.values()];
    if (parts.some((part) => part.joinedAtMs === null)) {
      return nowMs >= this.#plan.endsAtMs ? "time" : null;
    }
    const waiting = parts.some((part) =>
      part.leftAtMs === null && part.pieces.size < this.#pieceCount
    );
    if (!waiting) return "complete";
    if (this.#starving && nowMs >= this.#lastPieceAtMs + STUCK_MS) {
      return "stuck";
    }
    return nowMs >= this.#plan.endsAtMs ? "time" : null;
  }

  #note(atMs: number): void {
    let min = Infinity;
    let sum = 0;
    for (const copies of this.#copies) {
      min = Math.min(min, copies);
      sum += copies;
    }
    let members = 0;
    for (const { joinedAtMs, leftAtMs } of this.#parts.values()) {
      if (joinedAtMs !== null && leftAtMs === null) members += 1;
    }
    this.#availability.push({
      atMs,
      min,
      mean: sum / this.#pieceCount,
      members,
    });
  }
}

/** When the clock says that a member leaves; Infinity if it is not the clock that says so. */
function leaveAtMs({ member, completedAtMs, leftAtMs }: Part): number {
  if (leftAtMs !== null) return Infinity;
  const { leaves } = member;
  if (leaves.kind === "at") return leaves.atMs;
  if (leaves.kind !== "complete" || completedAtMs === null) return Infinity;
  return completedAtMs + leaves.afterMs;
}
