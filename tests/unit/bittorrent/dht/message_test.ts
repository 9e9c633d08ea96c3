import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import {
  decodeKrpc,
  encodeError,
  encodeQuery,
  encodeResponse,
} from "../../../../lib/bittorrent/dht/message.ts";
import { encodeBencode } from "../../../../lib/bittorrent/bencode.ts";
import { fuzz } from "../_fuzz.ts";

const A = utf8("abcdefghij0123456789");
const M = utf8("mnopqrstuvwxyz123456");
const AA = utf8("aa");
const PLAIN = { version: false };

/** The example packets of BEP 5, as they stand there; without those it abbreviates with dots. */
const VECTORS = {
  error: "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
  ping: "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
  pong: "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
  findNode:
    "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
  getPeers:
    "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
  peers:
    "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
  announcePeer:
    "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
} as const;

Deno.test("encodeQuery writes BEP 5's examples", () => {
  const query = (question: Parameters<typeof encodeQuery>[0]["question"]) =>
    fromUtf8(encodeQuery({ transactionId: AA, id: A, question }, PLAIN));
  assertEquals(query({ kind: "ping" }), VECTORS.ping);
  assertEquals(query({ kind: "find_node", target: M }), VECTORS.findNode);
  assertEquals(query({ kind: "get_peers", infoHash: M }), VECTORS.getPeers);
  assertEquals(
    query({
      ...{ kind: "announce_peer", infoHash: M, token: utf8("aoeusnth") },
      ...{ impliedPort: true, port: 6881 },
    }),
    VECTORS.announcePeer,
  );
});

Deno.test("encodeResponse and encodeError write BEP 5's examples", () => {
  const none = { nodes: [], peers: [], token: null };
  assertEquals(
    fromUtf8(encodeResponse({ transactionId: AA, id: M, answer: none }, PLAIN)),
    VECTORS.pong,
  );
  const peers = ["axje.u", "idhtnm"].map((compact) => {
    const [a, b, c, d, e, f] = utf8(compact);
    return { host: `${a}.${b}.${c}.${d}`, port: e! << 8 | f! };
  });
  const answer = { nodes: [], peers, token: utf8("aoeusnth") };
  assertEquals(
    fromUtf8(encodeResponse({ transactionId: AA, id: A, answer }, PLAIN)),
    VECTORS.peers,
  );
  const error = { code: 201, message: "A Generic Error Ocurred" };
  assertEquals(
    fromUtf8(encodeError({ transactionId: AA, ...error }, PLAIN)),
    VECTORS.error,
  );
});

Deno.test("decodeKrpc reads BEP 5's examples", () => {
  const read = (name: keyof typeof VECTORS) => decodeKrpc(utf8(VECTORS[name]));
  const query = {
    ...{ kind: "query" as const, transactionId: AA, id: A, readOnly: false },
  };
  assertEquals(read("ping"), { ...query, question: { kind: "ping" } });
  assertEquals(read("findNode"), {
    ...query,
    question: { kind: "find_node", target: M },
  });
  assertEquals(read("getPeers"), {
    ...query,
    question: { kind: "get_peers", infoHash: M },
  });
  assertEquals(read("announcePeer"), {
    ...query,
    question: {
      ...{ kind: "announce_peer", infoHash: M, token: utf8("aoeusnth") },
      ...{ port: 0, impliedPort: true },
    },
  });
  assertEquals(read("pong"), {
    ...{ kind: "response", transactionId: AA, id: M },
    answer: { nodes: [], peers: [], token: null },
  });
  assertEquals(read("peers"), {
    ...{ kind: "response", transactionId: AA, id: A },
    answer: {
      nodes: [],
      peers: [
        { host: "97.120.106.101", port: 0x2e75 },
        { host: "105.100.104.116", port: 0x6e6d },
      ],
      token: utf8("aoeusnth"),
    },
  });
  assertEquals(read("error"), {
    ...{ kind: "error", transactionId: AA, code: 201 },
    message: "A Generic Error Ocurred",
  });
});

Deno.test("decodeKrpc and encodeResponse agree on nodes of both families (BEP 32)", () => {
  const answer = {
    nodes: [
      { id: A, host: "10.0.0.1", port: 6881 },
      { id: M, host: "2001:db8::7", port: 1 },
    ],
    peers: [{ host: "fd00::1", port: 65_535 }],
    token: null,
  };
  const bytes = encodeResponse({ transactionId: AA, id: A, answer });
  const read = decodeKrpc(bytes);
  assert(read.kind === "response");
  assertEquals(read.answer, answer);
});

Deno.test("encodeResponse writes an empty list of nodes where one is expected", () => {
  const answer = {
    ...{ nodes: [], peers: [], token: null },
    families: ["ipv4" as const],
  };
  assertEquals(
    fromUtf8(encodeResponse({ transactionId: AA, id: M, answer }, PLAIN)),
    "d1:rd2:id20:mnopqrstuvwxyz1234565:nodes0:e1:t2:aa1:y1:re",
  );
});

Deno.test("decodeKrpc answers bad queries with the error of BEP 5", () => {
  const ask = (a: Parameters<typeof encodeBencode>[0], q: string) =>
    decodeKrpc(encodeBencode({ a, q, t: AA, y: "q" }));
  const announce = { id: A, "info_hash": M, token: "x" };
  const cases: [ReturnType<typeof decodeKrpc>, number, string][] = [
    [ask({ id: A }, "vote"), 204, "Method Unknown"],
    [ask({ id: "short" }, "ping"), 203, "id must be 20 bytes"],
    [ask(["no", "dictionary"], "ping"), 203, "Query without arguments"],
    [ask({ id: A }, "find_node"), 203, "target must be 20 bytes"],
    [
      ask({ id: A, "info_hash": [] }, "get_peers"),
      203,
      "info_hash must be 20 bytes",
    ],
    [
      ask({ ...announce, port: 0 }, "announce_peer"),
      203,
      "port must be from 1 to 65535",
    ],
    [
      ask({ ...announce, port: 65_536 }, "announce_peer"),
      203,
      "port must be from 1 to 65535",
    ],
    [
      ask({ id: A, "info_hash": M, port: 1 }, "announce_peer"),
      203,
      "token must be a string",
    ],
  ];
  for (const [read, code, message] of cases) {
    assertEquals(read, {
      kind: "refusal",
      error: { kind: "error", transactionId: AA, code, message },
    });
  }
});

Deno.test("decodeKrpc throws away what is no message, or an answer one cannot use", () => {
  const bad = [
    "",
    "le",
    "i1e",
    "de",
    "d1:t2:aae",
    "d1:t2:aa1:y1:xe",
    "d1:ti5e1:y1:qe",
    `d1:t33:${"t".repeat(33)}1:y1:qe`,
    "d1:t2:aa1:y1:re",
    "d1:rd2:id3:abce1:t2:aa1:y1:re",
    // BEP 5's own example, whose nodes it cut short.
    "d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re",
    "d1:eli201ee1:t2:aa1:y1:e",
    "d1:ei5e1:t2:aa1:y1:ee",
    `${VECTORS.ping}x`,
    `d1:t2:aa1:y1:q1:z2048:${"z".repeat(2048)}e`,
    `${"l".repeat(100)}${"e".repeat(100)}`,
  ];
  for (const text of bad) {
    const error = assertThrows(() => decodeKrpc(utf8(text)), ProtocolError);
    assertEquals(error.code, "krpc-malformed", text);
  }
});

Deno.test("decodeKrpc takes unsorted keys, unknown keys and read-only nodes (BEP 43)", () => {
  const text =
    "d1:y1:q1:t2:aa2:roi1e1:v4:XX001:q4:ping1:ad3:fooi1e2:id20:abcdefghij0123456789ee";
  assertEquals(decodeKrpc(utf8(text)), {
    ...{ kind: "query", transactionId: AA, id: A, readOnly: true },
    question: { kind: "ping" },
  });
});

Deno.test("decodeKrpc takes no more of an answer than it needs", () => {
  const nodes = new Uint8Array(26 * 60).fill(7);
  const read = decodeKrpc(
    encodeBencode({
      r: { id: A, nodes, token: "t".repeat(65) },
      t: "aa",
      y: "r",
    }),
  );
  assert(read.kind === "response");
  assertEquals(read.answer.nodes.length, 16);
  assertEquals(read.answer.token, null);
});

Deno.test("decodeKrpc survives every truncation and a thousand mutations of the examples", () => {
  const samples = Object.values(VECTORS).map(utf8);
  for (const sample of samples) {
    for (let length = 0; length < sample.length; length++) {
      assertThrows(() => decodeKrpc(sample.subarray(0, length)), ProtocolError);
    }
  }
  const { refused } = fuzz(samples, decodeKrpc, { seed: 5, rounds: 5_000 });
  assert(refused > 1_000);
});
