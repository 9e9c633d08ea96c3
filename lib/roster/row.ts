import type { FoundService } from "../dns/mdns/browser.ts";
import type { Address } from "../io/net.ts";
import type { RosterSocket } from "./run.ts";

/** A role that was found on the link. */
export interface RosterRow {
  /** Its name on the link; no other has it. */
  readonly instance: string;
  readonly role: string;
  /** What `--name` says. */
  readonly name: string;
  readonly version: string;
  readonly addresses: readonly string[];
  /** Where what is known of it came from: what it calls its addresses may be anybody's. */
  readonly tellers: readonly string[];
  readonly sockets: readonly Pick<RosterSocket, "transport" | "port">[];
  /** Where its events and metrics are, if they are anywhere: on loopback only the same machine gets there. */
  readonly admin: Address | undefined;
}

/** Longest text that is taken from the network as a name. */
const MAX_TEXT = 100;

/** Reads what a service says of itself. Text from the network is cut and has no control characters. */
export function rowOf(
  { label, addresses, texts, tellers }: FoundService,
): RosterRow {
  const text = (key: string) => plain(texts.get(key) ?? "");
  const sockets = (["http", "tcp", "udp"] as const).flatMap((transport) => {
    const port = portOf(texts.get(transport) ?? "");
    return port === undefined ? [] : [{ transport, port }];
  });
  return {
    instance: plain(label),
    role: text("role") || "?",
    name: text("name") || plain(label),
    version: text("version"),
    addresses,
    tellers,
    sockets,
    admin: adminOf(texts.get("admin") ?? ""),
  };
}

function adminOf(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):([0-9]{1,5})$/
    .exec(text);
  const port = portOf(match?.[3] ?? "");
  if (match === null || port === undefined) return undefined;
  return { host: match[1] ?? match[2] ?? "", port };
}

function portOf(text: string): number | undefined {
  const port = Number(text);
  return /^[0-9]{1,5}$/.test(text) && port > 0 && port < 65536
    ? port
    : undefined;
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- those of a terminal
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "").slice(0, MAX_TEXT);
}
