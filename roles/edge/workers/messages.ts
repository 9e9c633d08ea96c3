import { Fields, type FieldSource } from "../../../lib/http/fields.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import type { Address } from "../../../lib/io/net.ts";

/**
 * Header fields as they are sent between threads: name, line end, value, line end, and so on. A text is cloned in a tenth
 * of the time of a list of lists; no field has a line end in it.
 */
export type FieldLines = string;

/** Fields as they are sent. */
export function fieldLines(fields: FieldSource): FieldLines {
  let lines = "";
  for (const [name, value] of fields) lines += `${name}\n${value}\n`;
  return lines;
}

/** What was sent, as fields. */
export function fieldsOf(lines: FieldLines): Fields {
  const fields = new Fields();
  const parts = lines.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) {
    fields.append(parts[at]!, parts[at + 1]!);
  }
  return fields;
}

/** A request as it is sent between threads. */
export interface AskedRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly protocol: string;
  readonly fields: FieldLines;
  readonly remote: Address;
  readonly hasBody: boolean;
  /** An errand of ours: see {@linkcode OwnRequest}. */
  readonly isOwn: boolean;
}

/** What goes from the thread that has a client to the one that has what it wants. `id` is the asker's number of the request. */
export type AskerMessage =
  | {
    readonly kind: "ask";
    readonly id: number;
    readonly request: AskedRequest;
  }
  /** One more piece of the answer's body may come. */
  | { readonly kind: "more"; readonly id: number }
  /** The rest of the answer's body is not wanted. */
  | { readonly kind: "leave"; readonly id: number }
  /** The client has gone: asked for by `watch`. */
  | { readonly kind: "gone"; readonly id: number }
  /** A piece of the request's body: asked for by `upload`; null at its end. */
  | {
    readonly kind: "uploaded";
    readonly id: number;
    readonly bytes: Uint8Array | null;
  }
  /** The request's body broke off. */
  | { readonly kind: "upload-failed"; readonly id: number }
  | { readonly kind: "call"; readonly id: number; readonly call: unknown };

/** What goes back. */
export type OwnerMessage =
  | {
    readonly kind: "answer";
    readonly id: number;
    readonly status: number;
    readonly fields: FieldLines;
    /** Whole, none, or what will come in pieces. */
    readonly body:
      | Uint8Array
      | null
      | { readonly lengthBytes: number | undefined };
  }
  /** The handler failed. */
  | { readonly kind: "refused"; readonly id: number }
  /** The next piece of the answer's body; null at its end. */
  | {
    readonly kind: "piece";
    readonly id: number;
    readonly bytes: Uint8Array | null;
  }
  /** The answer's body broke off. */
  | { readonly kind: "broken"; readonly id: number }
  | {
    readonly kind: "interim";
    readonly id: number;
    readonly status: number;
    readonly fields: FieldLines;
  }
  /** Somebody wants to know when the client goes. */
  | { readonly kind: "watch"; readonly id: number }
  /** The next piece of the request's body is wanted. */
  | { readonly kind: "upload"; readonly id: number }
  | { readonly kind: "result"; readonly id: number; readonly result: unknown };

/** Both go both ways: each thread asks, and is asked. */
export type LinkMessage = AskerMessage | OwnerMessage;

/** A request as it is sent. */
export function askedRequest(
  request: HttpRequest,
  isOwn: boolean,
): AskedRequest {
  const { method, target, authority, protocol, headers, remote } = request;
  return {
    method,
    target,
    authority,
    protocol,
    fields: fieldLines(headers),
    remote: { host: remote.host, port: remote.port },
    hasBody: request.body !== null,
    isOwn,
  };
}
