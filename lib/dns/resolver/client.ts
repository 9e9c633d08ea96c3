/** A resolver's client: what it asks, whether it may, and the message it gets (RFC 1034 §4.3.1, RFC 7871 §7.2). */
import {
  type Cidr,
  cidrContains,
  maskAddress,
  parseAddress,
  parseCidr,
  unmapAddress,
} from "../../core/address.ts";
import {
  CLASSES,
  EDNS_UDP_BYTES,
  PLAIN_UDP_BYTES,
  RCODES,
  RECORD_TYPES,
} from "../codes.ts";
import { type ClientSubnet, readClientSubnet } from "../edns.ts";
import { type DnsMessage, encodeMessage } from "../message.ts";
import type { Name } from "../name.ts";
import { QueryReader } from "../query_reader.ts";
import type { Finding } from "./reply.ts";

/** Loopback, private, link-local and shared addresses (RFC 1122, 1918, 3927, 4193, 4291, 6598). */
const CLIENT_NETWORKS = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
].map(parseCidr);

/** RFC 7871 §11.1: no more of a client's address is passed on. */
const SUBNET_BITS = { ipv4: 24, ipv6: 56 } as const;

/** What becomes of client subnets: none is passed on, those that clients send are, or every client's own is. */
export type SubnetPolicy = "off" | "forward" | "add";

/** Who sent a query. */
export interface Sender {
  /** A literal address; `%eth0` may follow one that is link-local. */
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp";
}

/** A client's question, read. */
export interface ClientQuestion {
  readonly sender: Sender;
  readonly id: number;
  /** What it is if it is no question (0): told back as it came. */
  readonly opcode: number;
  /** In the client's case, which it gets back. */
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  readonly hasQuestion: boolean;
  readonly udpBytes: number | undefined;
  readonly dnssecOk: boolean;
  readonly clientSubnet: ClientSubnet | undefined;
  /** The code that ends the matter; NOERROR if the answer has to be looked for. */
  readonly verdict: number;
  /** Why, where it is the resolver's will rather than the message's fault. */
  readonly refusal: string;
}

/** What a client is told. */
export interface ClientAnswer {
  readonly rcode: number;
  readonly findings: readonly Finding[];
  /** For how many bits of the client's address it holds. */
  readonly scopeLength: number;
}

const reader = new QueryReader();

function addressOf(host: string): Uint8Array {
  return unmapAddress(parseAddress(host.replace(/%.*$/, "")));
}

/** Returns whether a resolver for a house or a class should answer this address at all. */
export function mayAsk(host: string): boolean {
  const address = addressOf(host);
  return CLIENT_NETWORKS.some((network) => cidrContains(network, address));
}

/** Reads a query; undefined if it deserves no answer. */
export function readClientQuestion(
  bytes: Uint8Array,
  sender: Sender,
): ClientQuestion | undefined {
  const read = reader.read(bytes);
  if (read < 0) return undefined;
  const { nameEnd, type, subnetAt, subnetBytes } = reader;
  // Only who has cookies to give takes no question for one (RFC 7873 §5.4)
  const verdict = nameEnd === 0 && read === RCODES.NOERROR
    ? RCODES.FORMERR
    : read;
  const refusal = verdict === RCODES.NOERROR
    ? refusalOf(type, {
      host: sender.host,
      recursionDesired: ((bytes[2] ?? 0) & 1) !== 0,
      qclass: reader.class,
    })
    : undefined;
  return {
    sender,
    id: (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0),
    opcode: (bytes[2] ?? 0) >> 3 & 15,
    name: bytes.slice(12, Math.max(12, nameEnd)),
    type,
    class: reader.class,
    recursionDesired: ((bytes[2] ?? 0) & 1) !== 0,
    hasQuestion: nameEnd > 0,
    udpBytes: reader.hasEdns ? reader.udpBytes : undefined,
    dnssecOk: reader.dnssecOk,
    clientSubnet: subnetBytes === 0
      ? undefined
      : readClientSubnet(bytes, subnetAt, subnetBytes),
    verdict: refusal?.rcode ?? verdict,
    refusal: refusal?.reason ?? "",
  };
}

function refusalOf(
  type: number,
  { host, recursionDesired, qclass }: {
    readonly host: string;
    readonly recursionDesired: boolean;
    readonly qclass: number;
  },
): { readonly rcode: number; readonly reason: string } | undefined {
  const refused = (reason: string) => ({ rcode: RCODES.REFUSED, reason });
  if (!mayAsk(host)) {
    return refused("it has a public address; only private ones are answered");
  }
  if (qclass !== CLASSES.IN) return refused("only class IN is looked for");
  if (!recursionDesired) {
    return refused(
      "it does not ask for recursion (RD), and this is no authority",
    );
  }
  // RFC 8482: ANY has no answer that serves anybody; the others are no data
  if (type === RECORD_TYPES.OPT || (type >= 249 && type <= RECORD_TYPES.ANY)) {
    return { rcode: RCODES.NOTIMP, reason: `type ${type} is not looked for` };
  }
  return undefined;
}

/** Returns the network an answer is looked for, as authorities are told it; undefined if they are not. */
export function subnetOf(
  { clientSubnet, sender }: ClientQuestion,
  policy: SubnetPolicy,
): Cidr | undefined {
  if (policy === "off") return undefined;
  // A source of 0 bits is the wish not to be told apart (RFC 7871 §7.1.2)
  if (clientSubnet?.sourceLength === 0) return undefined;
  if (clientSubnet === undefined && policy === "forward") return undefined;
  const bytes = clientSubnet?.bytes ?? addressOf(sender.host);
  const most = bytes.length === 4 ? SUBNET_BITS.ipv4 : SUBNET_BITS.ipv6;
  const prefixLength = Math.min(clientSubnet?.sourceLength ?? most, most);
  return { bytes: maskAddress(bytes, prefixLength), prefixLength };
}

/** Writes the message a client gets, with TC and nothing else if it does not fit into a datagram. */
export function encodeClientAnswer(
  question: ClientQuestion,
  { rcode, findings, scopeLength }: ClientAnswer,
): Uint8Array<ArrayBuffer> {
  const { clientSubnet, udpBytes, sender } = question;
  const records = findings.flatMap(({ set }) => set.records);
  const soa = findings.at(-1)?.set.soa;
  const message = {
    id: question.id,
    isResponse: true,
    opcode: question.opcode,
    authoritative: false,
    truncated: false,
    recursionDesired: question.recursionDesired,
    recursionAvailable: true,
    rcode,
    questions: question.hasQuestion
      ? [{ name: question.name, type: question.type, class: question.class }]
      : [],
    answers: records,
    authorities: soa === undefined ? [] : [soa],
    additionals: [],
    ...(udpBytes === undefined ? {} : {
      edns: {
        udpBytes: EDNS_UDP_BYTES,
        version: 0,
        dnssecOk: question.dnssecOk,
        upperRcode: 0,
        ...(clientSubnet === undefined
          ? {}
          : { clientSubnet: { ...clientSubnet, scopeLength } }),
      },
    }),
  };
  const limit = sender.transport === "tcp"
    ? 65_535
    : Math.min(Math.max(udpBytes ?? 0, PLAIN_UDP_BYTES), EDNS_UDP_BYTES);
  const bytes = encoded(message);
  if (bytes !== undefined && bytes.length <= limit) return bytes;
  return encodeMessage({
    ...message,
    answers: [],
    authorities: [],
    ...(sender.transport === "udp"
      ? { truncated: true }
      : { rcode: RCODES.SERVFAIL }),
  });
}

/** Authorities may have compressed better than we do. */
function encoded(message: DnsMessage): Uint8Array<ArrayBuffer> | undefined {
  try {
    return encodeMessage(message);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
