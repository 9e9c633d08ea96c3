import type { EventTable } from "./table.ts";

/** A TCP connection as its socket knows it: the 4-tuple. */
export interface FourTuple {
  /** Our address. */
  readonly localHost: string;
  /** Our port. */
  readonly localPort: number;
  /** The other side's address. */
  readonly remoteHost: string;
  /** The other side's port. */
  readonly remotePort: number;
}

/** What an echo server did with one message; in busy seconds these are summed up as `echo.summarized`. */
export type EchoOutcome =
  | {
    readonly type: "echo.answered";
    readonly remote: string;
    readonly receivedBytes: number;
    readonly sentBytes: number;
  }
  | {
    readonly type: "echo.dropped";
    readonly remote: string;
    readonly receivedBytes: number;
    /** `loss`: by lot, as `--loss` asked for; `queue-full`: too many answers wait for `--delay`. */
    readonly reason: "loss" | "queue-full";
  }
  | {
    readonly type: "echo.failed";
    readonly remote: string;
    readonly receivedBytes: number;
    readonly answerBytes: number;
    readonly code: "answer-too-long" | "send-failed";
    readonly message: string;
  };

/** What the echo roles can say. */
export type EchoEvent =
  | EchoOutcome
  | {
    readonly type: "echo.summarized";
    readonly periodMs: number;
    readonly answered: number;
    readonly dropped: number;
    readonly failed: number;
    readonly receivedBytes: number;
    readonly sentBytes: number;
  }
  | FourTuple & {
    readonly type: "connection.opened";
    /** How many are open now, this one included. */
    readonly openConnections: number;
  }
  | FourTuple & {
    readonly type: "connection.refused";
    readonly maxConnections: number;
  }
  | FourTuple & {
    readonly type: "connection.closed";
    readonly reason:
      | "by-client"
      | "by-server"
      | "reset"
      | "idle"
      | "stalled"
      | "stopping";
    readonly receivedBytes: number;
    readonly sentBytes: number;
    readonly durationMs: number;
    /** How many are still open. */
    readonly openConnections: number;
  }
  | FourTuple & { readonly type: "connection.established" }
  | {
    readonly type: "reply.received";
    readonly remote: string;
    /** The number of the message answered, from 1. */
    readonly messageIndex: number;
    readonly receivedBytes: number;
    readonly rttMs: number;
  }
  | {
    readonly type: "reply.missed";
    readonly remote: string;
    readonly messageIndex: number;
    readonly timeoutMs: number;
  };

/** See {@linkcode EchoEvent}. */
export const ECHO_EVENTS: EventTable<EchoEvent> = {
  "echo.answered": {
    level: "info",
    text: (e) =>
      `${e.remote} sent ${e.receivedBytes} B, answered with ${e.sentBytes} B`,
  },
  "echo.dropped": {
    level: "info",
    text: (e) =>
      `${e.remote} sent ${e.receivedBytes} B, dropped: ${
        e.reason === "loss"
          ? "lost by lot (--loss)"
          : "too many answers wait (--delay)"
      }`,
  },
  "echo.failed": {
    level: "warn",
    text: (e) =>
      `${e.remote} sent ${e.receivedBytes} B, not answered: ${e.message}`,
  },
  "echo.summarized": {
    level: "info",
    text: (e) =>
      `in ${
        (e.periodMs / 1000).toFixed(1)
      } s beside those told singly: ${e.answered} answered, ${e.dropped} dropped, ${e.failed} failed; ${e.receivedBytes} B in, ${e.sentBytes} B out`,
  },
  "connection.opened": {
    level: "info",
    text: (e) => `${tuple(e)} opened, ${e.openConnections} open`,
  },
  "connection.refused": {
    level: "warn",
    text: (e) =>
      `${tuple(e)} closed at once: ${e.maxConnections} are open already`,
  },
  "connection.closed": {
    level: "info",
    text: (e) =>
      `${tuple(e)} closed (${e.reason}) after ${
        (e.durationMs / 1000).toFixed(1)
      } s: ${e.receivedBytes} B in, ${e.sentBytes} B out, ${e.openConnections} open`,
  },
  "connection.established": {
    level: "info",
    text: (e) =>
      `(${e.localHost}, ${e.localPort}, ${e.remoteHost}, ${e.remotePort}) established`,
  },
  "reply.received": {
    level: "info",
    text: (e) =>
      `reply ${e.messageIndex} from ${e.remote}: ${e.receivedBytes} B, rtt ${
        e.rttMs.toFixed(3)
      } ms`,
  },
  "reply.missed": {
    level: "warn",
    text: (e) =>
      `no reply ${e.messageIndex} from ${e.remote} within ${e.timeoutMs} ms`,
  },
};

/** As the client's segments carry it: source address and port, destination address and port. */
function tuple(e: FourTuple): string {
  return `(${e.remoteHost}, ${e.remotePort}, ${e.localHost}, ${e.localPort})`;
}
