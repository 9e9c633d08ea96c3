import { counted, formatMs } from "../../../lib/core/units.ts";
import { rcodeName, typeName } from "../../../lib/dns/codes.ts";
import type { DnsMessage } from "../../../lib/dns/message.ts";
import { displayName, type Name } from "../../../lib/dns/name.ts";
import type { RecursionEvent } from "../../../lib/events/recursion.ts";
import type { RoleResult } from "../../../lib/role.ts";
import { recordJson, recordTable } from "./show_answer.ts";

const LOCAL = "local DNS server";
const ANSWERS: Readonly<Record<string, string>> = {
  "referral": "ask further down: ",
  "truncated": "",
  "no-edns": "",
  "lame": "no help: ",
  "no-answer": "no answer ",
};

/** Returns a step as the lecture's figure has it, on one line; "" if the figure has none for it. */
export function drawStep(event: RecursionEvent): string {
  switch (event.type) {
    case "recursion.started":
      return `${number(event.step)}  you ──▶ ${LOCAL}: ${question(event)}`;
    case "recursion.asked":
      return `${
        number(event.step)
      }      ${LOCAL} ──▶ ${event.serverName} (${event.server}), of ${
        event.zone === "." ? "the root" : event.zone
      }: ${question(event)}${event.transport === "tcp" ? " over TCP" : ""}`;
    case "recursion.replied":
      return `${number(event.step)}      ${LOCAL} ◀── ${event.serverName}: ${
        ANSWERS[event.result] ?? ""
      }${event.detail}${
        event.outOfBailiwick === 0
          ? ""
          : `; ${
            counted(event.outOfBailiwick, "record")
          } of other zones left out`
      } [${formatMs(event.elapsedMs)}]`;
    case "recursion.ignored":
      return `        ignored a reply of ${event.remote}: ${event.reason}`;
    case "recursion.finished":
      return `${number(event.step)}  you ◀── ${LOCAL}: ${event.rcode}${
        event.answers.length === 0 ? "" : `, ${event.answers.join(", ")}`
      }${event.ttlSeconds === 0 ? "" : `, good for ${event.ttlSeconds} s`} [${
        formatMs(event.elapsedMs)
      }, ${counted(event.sentMessages, "message")} to authorities]`;
    default:
      return "";
  }
}

function number(step: number): string {
  return String(step).padStart(2);
}

function question(
  { question, recordType, clientSubnet }: {
    readonly question: string;
    readonly recordType: string;
    readonly clientSubnet: string;
  },
): string {
  return `${question} ${recordType}?${
    clientSubnet === "" ? "" : ` (a client of ${clientSubnet})`
  }`;
}

/** Returns what a trace prints when its steps are drawn: the records it found, or all of it as JSON. */
export function showTrace(
  message: DnsMessage,
  { name, type, steps }: {
    readonly name: Name;
    readonly type: number;
    readonly steps: readonly RecursionEvent[];
  },
): RoleResult {
  const finished = steps.find((step) => step.type === "recursion.finished");
  const { answers, authorities } = message;
  const lines = recordTable([...answers, ...authorities]);
  return {
    text: lines.map((line) => `${line}\n`).join(""),
    json: {
      question: displayName(name),
      type: typeName(type),
      rcode: rcodeName(message.rcode),
      records: answers.map(recordJson),
      authorities: authorities.map(recordJson),
      sentMessages: finished?.sentMessages ?? 0,
      elapsedMs: finished?.elapsedMs ?? 0,
      reason: finished?.reason ?? "",
      steps,
    },
  };
}
