/**
 * KRPC, the messages of the DHT (BEP 5), with those parts of BEP 32 (IPv6) and BEP 43 (read-only) that are on the wire.
 *
 * A datagram is one bencoded dictionary: `t` names the transaction, `y` says whether it is a query, a response or an
 * error. Each decodes to one record; what is no KRPC at all is thrown, what is a query that cannot be answered becomes a
 * `refusal`, which says the error to answer with.
 */
import type { Family } from "../../core/address.ts";
import { fromUtf8 } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import {
  type BencodeDictionary,
  type BencodeInput,
  type BencodeValue,
  decodeBencode,
  encodeBencode,
  isBytes,
  isDictionary,
  isList,
} from "../bencode.ts";
import { compactPeer, type PeerEndpoint } from "../peer_endpoint.ts";
import {
  decodeContacts,
  decodePeers,
  type DhtContact,
  encodeContacts,
} from "./contact.ts";
import { ID_BYTES } from "./id.ts";

/** Longest datagram that is read. BEP 32 allows senders 1024 bytes; some fill an Ethernet frame. */
const MAX_DATAGRAM_BYTES = 2048;
/** Longest transaction id that is echoed; 2 bytes are usual. */
const MAX_TRANSACTION_BYTES = 32;
/** Longest token that is kept; 4 to 20 bytes are usual. */
const MAX_TOKEN_BYTES = 64;
/** Longest text of an error that is kept. */
const MAX_ERROR_BYTES = 200;

/** BEP 5's error codes. */
export const KRPC_ERROR = {
  generic: 201,
  server: 202,
  protocol: 203,
  methodUnknown: 204,
} as const;

/** What one node asks another. */
export type DhtQuestion =
  | { readonly kind: "ping" }
  | {
    readonly kind: "find_node";
    readonly target: Uint8Array;
    readonly want?: readonly Family[];
  }
  | {
    readonly kind: "get_peers";
    readonly infoHash: Uint8Array;
    readonly want?: readonly Family[];
  }
  | {
    readonly kind: "announce_peer";
    readonly infoHash: Uint8Array;
    /** Where the peer listens; 0 if `impliedPort`. */
    readonly port: number;
    /** The peer listens at the port the datagram came from. */
    readonly impliedPort: boolean;
    readonly token: Uint8Array;
  };

/** What a node answers. */
export interface DhtAnswer {
  readonly nodes: readonly DhtContact[];
  readonly peers: readonly PeerEndpoint[];
  /** The write token of `get_peers`. */
  readonly token: Uint8Array | null;
  /** Families whose list of nodes is written even if it is empty: answers to `find_node` and `get_peers` always have one. */
  readonly families?: readonly Family[];
}

/** A query. */
export interface KrpcQuery {
  readonly kind: "query";
  readonly transactionId: Uint8Array;
  /** The asking node's id. */
  readonly id: Uint8Array;
  /** It answers no queries itself (BEP 43). */
  readonly readOnly: boolean;
  readonly question: DhtQuestion;
}

/** A response. */
export interface KrpcResponse {
  readonly kind: "response";
  readonly transactionId: Uint8Array;
  /** The answering node's id. */
  readonly id: Uint8Array;
  readonly answer: DhtAnswer;
}

/** An error. */
export interface KrpcError {
  readonly kind: "error";
  readonly transactionId: Uint8Array;
  readonly code: number;
  readonly message: string;
}

/** A query that cannot be answered, and the error that says why. */
export interface KrpcRefusal {
  readonly kind: "refusal";
  readonly error: KrpcError;
}

/** An answer without anything in it, as `ping` and `announce_peer` get. */
export const EMPTY_ANSWER: DhtAnswer = { nodes: [], peers: [], token: null };

/** Who made a message, in the style of BEP 5's `v`: two letters and a version. */
const VERSION = Uint8Array.of(0x52, 0x43, 0, 1);

/**
 * Encodes a query.
 *
 * @example BEP 5's own example
 * ```ts
 * import { encodeQuery } from "./message.ts";
 * import { utf8 } from "../../core/bytes.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeQuery({
 *   transactionId: utf8("aa"),
 *   id: utf8("abcdefghij0123456789"),
 *   question: { kind: "ping" },
 * }, { version: false });
 * assert.equal(
 *   new TextDecoder().decode(bytes),
 *   "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
 * );
 * ```
 */
export function encodeQuery(
  { transactionId, id, question }: Omit<KrpcQuery, "kind" | "readOnly">,
  { version = true }: { readonly version?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return encodeBencode({
    a: { id, ...argumentsOf(question) },
    q: question.kind,
    t: transactionId,
    v: version ? VERSION : undefined,
    y: "q",
  });
}

function argumentsOf(question: DhtQuestion): Record<string, BencodeInput> {
  switch (question.kind) {
    case "ping":
      return {};
    case "find_node":
      return { target: question.target, ...wanted(question.want) };
    case "get_peers":
      return { info_hash: question.infoHash, ...wanted(question.want) };
    case "announce_peer":
      return {
        implied_port: question.impliedPort ? 1 : 0,
        info_hash: question.infoHash,
        port: question.port,
        token: question.token,
      };
  }
}

function wanted(want: readonly Family[] | undefined) {
  const names = want?.map((family) => family === "ipv6" ? "n6" : "n4");
  return names === undefined ? {} : { want: names };
}

/** Encodes a response. Nodes go into `nodes` and `nodes6` (BEP 32) by their family. */
export function encodeResponse(
  { transactionId, id, answer }: Omit<KrpcResponse, "kind">,
  { version = true }: { readonly version?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const listOf = (family: Family) => {
    const list = encodeContacts(answer.nodes, family);
    const written = list.length > 0 || answer.families?.includes(family);
    return written ? list : undefined;
  };
  return encodeBencode({
    r: {
      id,
      nodes: listOf("ipv4"),
      nodes6: listOf("ipv6"),
      token: answer.token ?? undefined,
      values: answer.peers.length > 0
        ? answer.peers.map((peer) => compactPeer(peer))
        : undefined,
    },
    t: transactionId,
    v: version ? VERSION : undefined,
    y: "r",
  });
}

/** Encodes an error. */
export function encodeError(
  { transactionId, code, message }: Omit<KrpcError, "kind">,
  { version = true }: { readonly version?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return encodeBencode({
    e: [code, message],
    t: transactionId,
    v: version ? VERSION : undefined,
    y: "e",
  });
}

/**
 * Decodes a datagram.
 *
 * @throws {ProtocolError} `krpc-malformed` if it is no KRPC message, or a response one cannot use: it is dropped.
 */
export function decodeKrpc(
  bytes: Uint8Array,
): KrpcQuery | KrpcResponse | KrpcError | KrpcRefusal {
  const message = readDictionary(bytes);
  const transactionId = message.get("t");
  if (
    !isBytes(transactionId) || transactionId.length > MAX_TRANSACTION_BYTES
  ) {
    throw malformed(`"t" must be at most ${MAX_TRANSACTION_BYTES} bytes`);
  }
  switch (textOf(message.get("y"))) {
    case "q":
      return readQuery(message, transactionId);
    case "r":
      return readResponse(message, transactionId);
    case "e":
      return readError(message, transactionId);
  }
  throw malformed('"y" must be q, r or e');
}

function readDictionary(bytes: Uint8Array): BencodeDictionary {
  let message: BencodeValue;
  try {
    // Nothing is hashed here, and some programs do not sort.
    message = decodeBencode(bytes, {
      maxBytes: MAX_DATAGRAM_BYTES,
      anyKeyOrder: true,
    });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw malformed(cause.message, cause);
  }
  if (!isDictionary(message)) throw malformed("must be a dictionary");
  return message;
}

function readQuery(
  message: BencodeDictionary,
  transactionId: Uint8Array,
): KrpcQuery | KrpcRefusal {
  const refusal = (
    message: string,
    code: number = KRPC_ERROR.protocol,
  ): KrpcRefusal => ({
    kind: "refusal",
    error: { kind: "error", transactionId, code, message },
  });
  const given = message.get("a");
  if (!isDictionary(given)) return refusal("Query without arguments");
  const id = idIn(given, "id");
  if (id === null) return refusal("id must be 20 bytes");
  const question = readQuestion(textOf(message.get("q")), given);
  if (question === null) {
    return refusal("Method Unknown", KRPC_ERROR.methodUnknown);
  }
  if (typeof question === "string") return refusal(question);
  const readOnly = message.get("ro") === 1;
  return { kind: "query", transactionId, id, readOnly, question };
}

/** Returns the question, or what is wrong with it, or null if there is no such method. */
function readQuestion(
  method: string,
  given: BencodeDictionary,
): DhtQuestion | string | null {
  switch (method) {
    case "ping":
      return { kind: "ping" };
    case "find_node": {
      const target = idIn(given, "target");
      if (target === null) return "target must be 20 bytes";
      return { kind: "find_node", target, ...wantIn(given) };
    }
    case "get_peers": {
      const infoHash = idIn(given, "info_hash");
      if (infoHash === null) return "info_hash must be 20 bytes";
      return { kind: "get_peers", infoHash, ...wantIn(given) };
    }
    case "announce_peer":
      return readAnnounce(given);
  }
  return null;
}

function readAnnounce(given: BencodeDictionary): DhtQuestion | string {
  const infoHash = idIn(given, "info_hash");
  if (infoHash === null) return "info_hash must be 20 bytes";
  const token = given.get("token");
  if (!isBytes(token)) return "token must be a string";
  const impliedPort = given.get("implied_port");
  if (typeof impliedPort === "number" && impliedPort !== 0) {
    return {
      kind: "announce_peer",
      infoHash,
      port: 0,
      impliedPort: true,
      token,
    };
  }
  const port = given.get("port");
  if (typeof port !== "number" || port < 1 || port > 65_535) {
    return "port must be from 1 to 65535";
  }
  return { kind: "announce_peer", infoHash, port, impliedPort: false, token };
}

/** Words we do not know are ignored (BEP 32). */
function wantIn(
  given: BencodeDictionary,
): { readonly want?: readonly Family[] } {
  const list = given.get("want");
  if (!isList(list)) return {};
  const names = list.map(textOf);
  const want: Family[] = [];
  if (names.includes("n4")) want.push("ipv4");
  if (names.includes("n6")) want.push("ipv6");
  return { want };
}

function readResponse(
  message: BencodeDictionary,
  transactionId: Uint8Array,
): KrpcResponse {
  const given = message.get("r");
  if (!isDictionary(given)) throw malformed("a response needs values");
  const id = idIn(given, "id");
  if (id === null) throw malformed("a response's id must be 20 bytes");
  const token = given.get("token");
  return {
    kind: "response",
    transactionId,
    id,
    answer: {
      nodes: [
        ...decodeContacts(given.get("nodes"), "ipv4"),
        ...decodeContacts(given.get("nodes6"), "ipv6"),
      ],
      peers: decodePeers(given.get("values")),
      token: isBytes(token) && token.length <= MAX_TOKEN_BYTES
        ? token.slice()
        : null,
    },
  };
}

function readError(
  message: BencodeDictionary,
  transactionId: Uint8Array,
): KrpcError {
  const given = message.get("e");
  if (!isList(given)) throw malformed("an error needs a list");
  const [code, text] = given;
  return {
    kind: "error",
    transactionId,
    code: typeof code === "number" ? code : KRPC_ERROR.generic,
    message: isBytes(text) ? fromUtf8(text.subarray(0, MAX_ERROR_BYTES)) : "",
  };
}

/** A copy, so that an id that is kept does not keep the datagram. */
function idIn(given: BencodeDictionary, key: string): Uint8Array | null {
  const id = given.get(key);
  return isBytes(id) && id.length === ID_BYTES ? id.slice() : null;
}

function textOf(value: BencodeValue | undefined): string {
  return isBytes(value) && value.length <= 20 ? fromUtf8(value) : "";
}

function malformed(rule: string, cause?: unknown): ProtocolError {
  return new ProtocolError(
    "krpc-malformed",
    `Cannot read DHT message: ${rule}`,
    { cause },
  );
}
