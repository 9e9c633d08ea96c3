import type { ProtocolError } from "../../core/errors.ts";
import type { FieldSource } from "../fields.ts";
import type { RequestHead } from "./request_head.ts";

/** How much, and how long, a client may take. */
export interface ConnectionLimits {
  /** From the first byte of a head to its last, and from the connection to the first byte. */
  readonly headMs: number;
  /** Between requests. */
  readonly idleMs: number;
  /** Between two pieces of a request's body while somebody waits for it. */
  readonly bodyMs: number;
  /** Between two pieces of an answer that the client takes. */
  readonly writeMs: number;
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

/** What happens to a connection. */
export type ConnectionInput =
  /** The client sent these; they are not kept as they are. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The client sends no more; it may still read. */
  | { readonly kind: "end" }
  /** Somebody waits for the next piece of the request's body. */
  | { readonly kind: "want" }
  /** The answer to the request begins, or is all there: bytes, a stream of pieces, or no body. */
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly fields: FieldSource;
    readonly body: Uint8Array | AnswerStream | null;
  }
  /** An interim answer, before the answer (RFC 9110 §15.2). */
  | {
    readonly kind: "interim";
    readonly status: number;
    readonly fields: FieldSource;
  }
  | { readonly kind: "piece"; readonly bytes: Uint8Array }
  /** The answer's stream is at its end. */
  | { readonly kind: "ended" }
  /** The answer cannot be completed. */
  | { readonly kind: "failed" }
  /** The client's system took some of what is being written. */
  | { readonly kind: "progress" }
  /** All that was to be written is. */
  | { readonly kind: "wrote" }
  /** The server ends: no request after this one. */
  | { readonly kind: "stop" }
  | { readonly kind: "timeout" };

/** An answer's body that comes in pieces. */
export interface AnswerStream {
  /** Undefined when nobody knows. */
  readonly lengthBytes?: number | undefined;
}

/** What to do. */
export type ConnectionOutput =
  | {
    readonly kind: "request";
    readonly head: RequestHead;
    readonly hasBody: boolean;
  }
  /** A piece of the request's body; nobody else has it. */
  | { readonly kind: "body"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "body-ended" }
  | { readonly kind: "body-failed"; readonly error: ProtocolError }
  /**
   * Text and bytes to write, in this order. `isLast`: with it the answer is complete, what its stream still has is not
   * wanted. `isFinal`: nothing is written after it, FIN may follow at once.
   */
  | {
    readonly kind: "write";
    readonly text: string;
    readonly bytes: Uint8Array | null;
    readonly isLast: boolean;
    readonly isFinal: boolean;
  }
  | { readonly kind: "violated"; readonly error: ProtocolError }
  /** `politely`: send FIN and read on for a while, or what was written may be lost with the reset (RFC 9112 §9.6). */
  | { readonly kind: "close"; readonly politely: boolean };
