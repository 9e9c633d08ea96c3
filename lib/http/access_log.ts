import type { FieldSource } from "./fields.ts";

/** Formats of an access log that the usual tools read: Common, and Combined, which adds Referer and User-Agent. */
export type AccessFormat = "common" | "combined";

/** What is written of one answer. */
export interface AccessRecord {
  /** The client's address. */
  readonly host: string;
  readonly wallMs: number;
  /** A token, as the server has made sure (RFC 9110 §9.1). */
  readonly method: string;
  readonly target: string;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** The request's fields. */
  readonly fields: FieldSource;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/**
 * Writes a line of an access log, without its end: `host - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 2326`,
 * in the format of Apache's mod_log_config. What a client sends cannot end the line or a quoted part of it: quotes,
 * backslashes and everything that is not printable ASCII are written as `\xHH`, as nginx does.
 */
export function formatAccess(
  format: AccessFormat,
  record: AccessRecord,
): string {
  const { host, method, target, protocol, status, bytes, fields } = record;
  // Piece by piece: a text just put together is copied before it can be looked through.
  const line = `${host} - - [${stamp(record.wallMs)}] "${method} ${
    escaped(target)
  } ${protocol}" ${status} ${bytes === 0 ? "-" : bytes}`;
  if (format === "common") return line;
  const quoted = (name: string) => `"${escaped(fields.get(name) ?? "-")}"`;
  return `${line} ${quoted("referer")} ${quoted("user-agent")}`;
}

function escaped(text: string): string {
  // Nearly all: to look costs a fifth of what replacing nothing does.
  if (!/[^\x20-\x7e]|["\\]/.test(text)) return text;
  return text.replace(
    /[^\x20-\x7e]|["\\]/g,
    (char) =>
      `\\x${
        (char.charCodeAt(0) & 255).toString(16).toUpperCase().padStart(2, "0")
      }`,
  );
}

/** The last second that was asked for, and its text: of ten thousand lines a second, one makes it. */
let stamped = { second: NaN, text: "" };

/** `10/Oct/2026:13:55:36 +0000`: always UTC. */
function stamp(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (stamped.second === second) return stamped.text;
  const iso = new Date(1000 * second).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1];
  const text = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${
    iso.slice(11, 19)
  } +0000`;
  stamped = { second, text };
  return text;
}
