import { formatMs } from "../../../lib/core/units.ts";
import { RECORD_TYPES, typeName } from "../../../lib/dns/codes.ts";
import { formatClientSubnet } from "../../../lib/dns/edns.ts";
import type { DnsRecord } from "../../../lib/dns/message.ts";
import { formatName } from "../../../lib/dns/name.ts";
import { formatRdata } from "../../../lib/dns/rdata.ts";
import type { StubAnswer } from "../../../lib/dns/stub_query.ts";
import type { RoleResult } from "../../../lib/role.ts";

/** Returns records as the lines of a zone file, in columns. */
export function recordTable(records: readonly DnsRecord[]): string[] {
  const rows = records.map((record) => [
    formatName(record.name),
    String(record.ttlSeconds),
    typeName(record.type),
    formatRdata(record.type, record.rdata),
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map(([name = "", ttl = "", type = "", data = ""]) =>
    `${name.padEnd(widths[0] ?? 0)}  ${ttl.padStart(widths[1] ?? 0)}  ${
      type.padEnd(widths[2] ?? 0)
    }  ${data}`
  );
}

function flagsOf({ message }: StubAnswer): string[] {
  const flags = {
    aa: message.authoritative,
    tc: message.truncated,
    rd: message.recursionDesired,
    ra: message.recursionAvailable,
  };
  return Object.entries(flags).filter(([, on]) => on).map(([name]) => name);
}

/** Returns a record for programs. */
export function recordJson(record: DnsRecord) {
  return {
    name: formatName(record.name),
    ttlSeconds: record.ttlSeconds,
    type: typeName(record.type),
    data: formatRdata(record.type, record.rdata),
  };
}

/** Returns what a look-up prints: a short table as dig has it, or JSON. */
export function showAnswer(
  answer: StubAnswer,
  about: {
    readonly server: string;
    readonly type: string;
    readonly elapsedMs: number;
  },
): RoleResult {
  const { message, transport, rcode } = answer;
  const flags = flagsOf(answer);
  const subnet = message.edns?.clientSubnet;
  const authorities = answer.records.length > 0 && rcode === "NOERROR"
    ? []
    : message.authorities;
  const glue = authorities.some(({ type }) => type === RECORD_TYPES.NS)
    ? message.additionals
    : [];
  const lines = [
    `${
      answer.names[0]
    } ${about.type} at ${about.server} over ${transport}: ${rcode}, flags ${
      flags.join(" ") || "none"
    }, ${formatMs(about.elapsedMs)}`,
    ...recordTable([...answer.records, ...authorities, ...glue]),
    ...(answer.targetRcode === undefined ? [] : [
      `${
        answer.names.at(-1)
      } is another server's to answer: this one says ${answer.targetRcode}`,
    ]),
    ...(subnet === undefined
      ? []
      : [`client subnet ${formatClientSubnet(subnet)} (network/source/scope)`]),
  ];
  return {
    text: `${lines.join("\n")}\n`,
    json: {
      server: about.server,
      transport,
      question: answer.names[0],
      type: about.type,
      rcode,
      targetRcode: answer.targetRcode ?? null,
      flags,
      names: answer.names,
      addresses: answer.addresses,
      ttlSeconds: answer.ttlSeconds,
      records: answer.records.map(recordJson),
      authorities: message.authorities.map(recordJson),
      additionals: message.additionals.map(recordJson),
      clientSubnet: subnet === undefined ? null : formatClientSubnet(subnet),
      elapsedMs: about.elapsedMs,
      sentMessages: answer.sentMessages,
    },
  };
}
