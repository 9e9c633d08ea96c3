import { counted } from "../core/units.ts";
import { formatHostPort } from "../core/address.ts";
import type { EventTable } from "./table.ts";

/** What every role can say of itself. */
export type RoleEvent =
  | {
    readonly type: "role.listening";
    readonly transport: "udp" | "tcp" | "http";
    readonly host: string;
    readonly port: number;
  }
  | {
    readonly type: "role.started";
    readonly mode: string;
    readonly seed: number;
    readonly version: string;
  }
  | {
    /** The endpoint of `--admin`. */
    readonly type: "admin.listening";
    readonly host: string;
    readonly port: number;
  }
  | {
    /** The role is in the roster now. */
    readonly type: "role.announced";
    /** How it is called there: its name, with a number if another has that one. */
    readonly instance: string;
  }
  | {
    /** The role cannot be in the roster. */
    readonly type: "role.unannounced";
    readonly reason: string;
  }
  | { readonly type: "role.stopping"; readonly reason: string }
  | {
    readonly type: "role.finished";
    readonly exitCode: number;
    readonly error?: string;
    /** Where in the program, if it is a bug of rolecall. */
    readonly trace?: string;
  }
  | {
    /** A file that grows as the role runs (`--events`, a log) cannot be written: nothing is appended to it any more. */
    readonly type: "file.failed";
    readonly path: string;
    readonly reason: string;
  }
  | {
    readonly type: "protocol.violated";
    readonly remote: string;
    readonly code: string;
    readonly message: string;
  }
  | {
    /** Clients broke the protocol more often than is told one by one. */
    readonly type: "protocol.summarized";
    readonly periodMs: number;
    readonly violations: number;
  };

/** See {@linkcode RoleEvent}. */
export const ROLE_EVENTS: EventTable<RoleEvent> = {
  "role.listening": {
    level: "info",
    text: (e) => `listening on ${e.transport} ${formatHostPort(e)}`,
  },
  "role.started": {
    level: "debug",
    text: (e) => `started as ${e.mode}, seed ${e.seed}, rolecall ${e.version}`,
  },
  "admin.listening": {
    level: "info",
    text: (e) => `metrics and events at http://${formatHostPort(e)}/`,
  },
  "role.announced": {
    level: "debug",
    text: (e) => `in the roster as ${e.instance}`,
  },
  "role.unannounced": {
    level: "debug",
    text: (e) => `not in the roster: ${e.reason}`,
  },
  "role.stopping": { level: "info", text: (e) => `stopping: ${e.reason}` },
  "role.finished": {
    level: "debug",
    text: (e) =>
      e.error === undefined
        ? `finished, exit code ${e.exitCode}`
        : `finished, exit code ${e.exitCode}: ${e.error}`,
  },
  "file.failed": {
    level: "error",
    text: (e) => `${e.reason}; nothing is appended to it any more`,
  },
  "protocol.violated": {
    level: "warn",
    text: (e) => `${e.remote} broke the protocol (${e.code}): ${e.message}`,
  },
  "protocol.summarized": {
    level: "warn",
    text: (e) =>
      `and in the last ${e.periodMs / 1000} s the protocol was broken ${
        counted(e.violations, "time")
      } more`,
  },
};
