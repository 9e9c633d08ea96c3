import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import type {
  ConnectionInput,
  ConnectionLimits,
  ConnectionOutput,
} from "../../../../lib/http/http1/connection_messages.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { ServerConnection } from "../../../../lib/http/http1/server_connection.ts";

const LIMITS: ConnectionLimits = {
  headMs: 10_000,
  idleMs: 60_000,
  bodyMs: 5000,
  writeMs: 30_000,
  maxHeadBytes: 1000,
  maxBodyBytes: 100,
};
const DATE = "Wed, 25 Nov 2026 12:00:00 GMT";

/** A connection, a client that writes text, and all that was written to it. */
export class Talk {
  readonly machine = new ServerConnection(
    { limits: LIMITS, date: () => DATE },
    0,
  );
  nowMs = 0;
  sent = "";
  readonly seen: string[] = [];
  outputs: ConnectionOutput[] = [];

  feed(input: ConnectionInput): this {
    this.outputs = this.machine.handle(input, this.nowMs);
    for (const output of this.outputs) {
      switch (output.kind) {
        case "write":
          this.sent += output.text + latin1(output.bytes ?? new Uint8Array());
          this.seen.push(output.isLast ? "write last" : "write");
          break;
        case "request":
          this.seen.push(`${output.head.method} ${output.head.target}`);
          break;
        case "violated":
        case "body-failed":
          this.seen.push(`${output.kind} ${output.error.code}`);
          break;
        case "body":
          this.seen.push(`body ${fromUtf8(output.bytes)}`);
          break;
        case "close":
          this.seen.push(output.politely ? "close politely" : "close");
          break;
        default:
          this.seen.push(output.kind);
      }
    }
    return this;
  }

  say(text: string): this {
    return this.feed({ kind: "bytes", bytes: utf8(text) });
  }

  answer(
    body: Extract<ConnectionInput, { kind: "answer" }>["body"],
    { status = 200, fields = [] }: {
      readonly status?: number;
      readonly fields?: readonly [string, string][];
    } = {},
  ): this {
    return this.feed({
      kind: "answer",
      status,
      fields: new Fields(fields),
      body,
    });
  }

  wrote(): this {
    return this.feed({ kind: "wrote" });
  }

  at(ms: number): this {
    this.nowMs = ms;
    return this;
  }

  /** What happened since the last time. */
  news(): string[] {
    return this.seen.splice(0);
  }

  /** What was written since the last time, without the date. */
  text(): string {
    const text = this.sent.replaceAll(`date: ${DATE}\r\n`, "");
    this.sent = "";
    return text;
  }
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
