import { counted } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** One question of a client, as the resolver works on it; its steps are numbered as they are in the lecture's figure. */
interface Step {
  /** Counts the questions of this run, so that the steps of one can be told from another's. */
  readonly resolution: number;
  /** The client's question is step 1; every message since is one more. */
  readonly step: number;
}

/** What is asked. */
interface Question {
  /** The name in lower case, without the dot at its end. */
  readonly question: string;
  /** `A`, `AAAA` … */
  readonly recordType: string;
}

/** Whom the resolver asks. */
interface Authority {
  /** `host:port`. */
  readonly server: string;
  /** The name the delegation calls it by. */
  readonly serverName: string;
  /** The zone it was asked as a server of; `.` is the root. */
  readonly zone: string;
}

/** What `dns-redirector --recursive` and `--query … --trace` can say. */
export type RecursionEvent =
  | Step & Question & {
    readonly type: "recursion.started";
    /** `host:port` of the client. */
    readonly remote: string;
    readonly transport: "udp" | "tcp";
    /** The network the client asks for (EDNS Client Subnet), or "". */
    readonly clientSubnet: string;
    /** What the cache had: all of it, nothing that still holds, another client's open question, or a failure of a moment ago. */
    readonly cache: "hit" | "miss" | "stale" | "joined" | "failed";
  }
  | Step & Question & Authority & {
    readonly type: "recursion.asked";
    readonly transport: "udp" | "tcp";
    /** The network passed on with the question, or "". */
    readonly clientSubnet: string;
  }
  | Step & Question & Authority & {
    readonly type: "recursion.replied";
    readonly result:
      | "answer"
      | "alias"
      | "referral"
      | "no-data"
      | "no-such-name"
      | "truncated"
      | "no-edns"
      | "lame"
      | "no-answer";
    /** The addresses, the alias's target, the zone referred to, or what is wrong. */
    readonly detail: string;
    /** Records left out because the zone's servers have no say about them. */
    readonly outOfBailiwick: number;
    readonly elapsedMs: number;
  }
  | {
    readonly type: "recursion.ignored";
    readonly resolution: number;
    /** Whose reply was awaited. */
    readonly server: string;
    /** Who sent this one. */
    readonly remote: string;
    readonly reason:
      | "wrong-source"
      | "wrong-id"
      | "wrong-question"
      | "wrong-case"
      | "malformed";
  }
  | Step & Question & {
    readonly type: "recursion.finished";
    readonly remote: string;
    readonly rcode: string;
    readonly source: "cache" | "authorities" | "stale" | "failure";
    /** The data of the records of the asked type. */
    readonly answers: readonly string[];
    /** For how long the client may keep it. */
    readonly ttlSeconds: number;
    /** Messages sent to authorities for it. */
    readonly sentMessages: number;
    readonly elapsedMs: number;
    /** Why there is no answer, or "". */
    readonly reason: string;
  }
  | {
    readonly type: "recursion.refused";
    readonly remote: string;
    readonly reason: string;
  }
  | {
    readonly type: "recursions.counted";
    /** Steps beyond those that were told one by one. */
    readonly steps: number;
    readonly finished: number;
    readonly ignored: number;
    readonly refused: number;
    readonly periodMs: number;
  };

/** See {@linkcode RecursionEvent}. */
export const RECURSION_EVENTS: EventTable<RecursionEvent> = {
  "recursion.started": {
    level: "info",
    labels: ["cache"],
    text: (e) =>
      `#${e.resolution} step ${e.step}: ${e.remote} asks ${e.question} ${e.recordType}${
        e.clientSubnet === "" ? "" : ` for ${e.clientSubnet}`
      }; cache: ${e.cache}`,
  },
  "recursion.asked": {
    level: "info",
    text: (e) =>
      `#${e.resolution} step ${e.step}: ask ${e.serverName} (${e.server}), of ${
        e.zone === "." ? "the root" : e.zone
      }: ${e.question} ${e.recordType}${
        e.clientSubnet === "" ? "" : ` for ${e.clientSubnet}`
      }${e.transport === "tcp" ? ", over TCP" : ""}`,
  },
  "recursion.replied": {
    level: "info",
    labels: ["result"],
    text: (e) =>
      `#${e.resolution} step ${e.step}: ${e.serverName} (${e.server}): ${e.result}${
        e.detail === "" ? "" : `: ${e.detail}`
      }${
        e.outOfBailiwick === 0
          ? ""
          : `; left out ${counted(e.outOfBailiwick, "record")} of other zones`
      }`,
  },
  "recursion.ignored": {
    level: "warn",
    labels: ["reason"],
    text: (e) =>
      `#${e.resolution}: ignored a reply of ${e.remote} while waiting for ${e.server}: ${e.reason}`,
  },
  "recursion.finished": {
    level: "info",
    labels: ["source", "rcode"],
    text: (e) =>
      `#${e.resolution} step ${e.step}: tell ${e.remote} ${e.rcode}${
        e.answers.length === 0 ? "" : ` ${e.answers.join(", ")}`
      }${e.ttlSeconds === 0 ? "" : `, good for ${e.ttlSeconds} s`}${
        e.source === "authorities"
          ? ` (${counted(e.sentMessages, "message")} to authorities, ${
            Math.round(e.elapsedMs)
          } ms)`
          : ` (from ${e.source === "stale" ? "the cache, stale" : e.source})`
      }${e.reason === "" ? "" : `: ${e.reason}`}`,
  },
  "recursion.refused": {
    level: "warn",
    text: (e) => `refused ${e.remote}: ${e.reason}`,
  },
  "recursions.counted": {
    level: "info",
    text: (e) =>
      `${counted(e.steps, "more step")} in ${Math.round(e.periodMs)} ms: ${
        counted(e.finished, "question")
      } finished, ${counted(e.ignored, "reply", "replies")} ignored, ${
        counted(e.refused, "client")
      } refused`,
  },
};
