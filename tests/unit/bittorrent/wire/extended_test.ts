import { assert, assertEquals, assertThrows } from "@std/assert";
import { reachOf } from "../../../../lib/bittorrent/swarm/contacts/address_reach.ts";
import { canonicalPriority } from "../../../../lib/bittorrent/swarm/contacts/canonical_priority.ts";
import { ExternalAddress } from "../../../../lib/bittorrent/swarm/contacts/external_address.ts";
import {
  decodeExtendedHandshake,
  encodeExtendedHandshake,
  mergeExtended,
} from "../../../../lib/bittorrent/wire/extended.ts";
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  type MetadataMessage,
} from "../../../../lib/bittorrent/wire/ut_metadata.ts";
import {
  decodePex,
  encodePex,
} from "../../../../lib/bittorrent/wire/ut_pex.ts";
import { concat, fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { fuzz } from "../_fuzz.ts";

function codeOf(decode: () => unknown): string {
  try {
    decode();
    return "";
  } catch (error) {
    assert(error instanceof ProtocolError, String(error));
    return error.code;
  }
}

Deno.test("decodeExtendedHandshake reads the handshake of BEP 10, and of clients of the field", () => {
  assertEquals(
    decodeExtendedHandshake(
      // The name of the second extension is not UTF-8.
      concat(
        utf8("d1:md11:LT_metadatai1e6:"),
        Uint8Array.of(0xb5),
        utf8("T_PEXi2ee1:pi6881e1:v13:µTorrent 1.2e"),
      ),
    ),
    { extensions: {}, port: 6881, client: "µTorrent 1.2" },
  );
  // As libtorrent 2.0.8 and Transmission 3.00 say it, the latter with keys out of order.
  assertEquals(
    decodeExtendedHandshake(concat(
      utf8(
        "d12:complete_agoi1e1:md11:lt_donthavei7e10:share_modei8e11:upload_onlyi3e12:ut_holepunchi4e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei31235e4:reqqi500e11:upload_onlyi1e1:v18:libtorrent/2.0.8.06:yourip4:",
      ),
      Uint8Array.of(10, 0, 0, 7),
      utf8("e"),
    )),
    {
      extensions: { ut_metadata: 2, ut_pex: 1 },
      ...{ metadataBytes: 31235, reqq: 500, uploadOnly: true },
      ...{ client: "libtorrent/2.0.8.0", yourIp: "10.0.0.7" },
    },
  );
});

Deno.test("encodeExtendedHandshake writes what decodeExtendedHandshake reads", () => {
  const handshake = {
    ...{ port: 6881, client: "rolecall 0.1.0", yourIp: "fd00::1" },
    ...{ reqq: 2048, metadataBytes: 5, uploadOnly: true },
  };
  assertEquals(decodeExtendedHandshake(encodeExtendedHandshake(handshake)), {
    ...handshake,
    extensions: { ut_pex: 1, ut_metadata: 2 },
  });
  assertEquals(
    fromUtf8(encodeExtendedHandshake({ reqq: 9, without: ["ut_pex"] })),
    "d1:md11:ut_metadatai2ee4:reqqi9ee",
  );
});

Deno.test("decodeExtendedHandshake leaves out what makes no sense and refuses what is no small dictionary", () => {
  const read = (text: string) => decodeExtendedHandshake(utf8(text));
  assertEquals(
    read(
      "d1:mi5e13:metadata_sizei-1e1:p4:66814:reqqi0e1:v4:\x1b[7m6:yourip3:abce",
    ),
    { extensions: {}, client: "[7m" } as never,
  );
  assertEquals(read("de"), { extensions: {} });
  assertEquals(read("d4:reqqi99999999e1:pi70000ee"), {
    ...{ extensions: {}, port: 65_535, reqq: 10_000 },
  });
  const malformed = [
    ...["", "i1e", "le", "d1:m", "d1:mdee0", "d1:md6:ut_pexi01eee"],
    `d1:m${"l".repeat(50)}${"e".repeat(50)}e`,
    `d1:ml${"le".repeat(2000)}ee`,
    `d1:v${70_000}:${"v".repeat(70_000)}e`,
  ];
  for (const text of malformed) {
    assertEquals(codeOf(() => read(text)), "extended-malformed", text);
  }
});

Deno.test("mergeExtended keeps what a later handshake does not repeat, and lets it switch an extension off", () => {
  const first = decodeExtendedHandshake(
    utf8("d1:md11:ut_metadatai3e6:ut_pexi1ee4:reqqi5ee"),
  );
  const later = decodeExtendedHandshake(
    utf8("d1:md6:ut_pexi0ee11:upload_onlyi1ee"),
  );
  assertEquals(mergeExtended(mergeExtended(null, first), later), {
    extensions: { ut_metadata: 3, ut_pex: 0 },
    ...{ reqq: 5, uploadOnly: true },
  });
});

Deno.test("encodeMetadataMessage and decodeMetadataMessage agree with BEP 9", () => {
  const vectors: readonly [MetadataMessage, string][] = [
    [{ kind: "request", block: 0 }, "d8:msg_typei0e5:piecei0ee"],
    [{ kind: "reject", block: 3 }, "d8:msg_typei2e5:piecei3ee"],
    [
      { kind: "data", block: 0, totalBytes: 3425, bytes: utf8("xxxxe") },
      "d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxe",
    ],
  ];
  for (const [message, text] of vectors) {
    assertEquals(fromUtf8(encodeMetadataMessage(message)), text);
    assertEquals(decodeMetadataMessage(utf8(text)), message);
  }
  const read = (text: string) => decodeMetadataMessage(utf8(text));
  assertEquals(read("d8:msg_typei7e5:piecei0ee"), null);
  for (
    const text of [
      ...["", "le", "d8:msg_typei0ee", "d8:msg_typei0e5:piecei-1ee"],
      ...["d8:msg_typei1e5:piecei0eexxx", "d5:piecei0ee"],
    ]
  ) assertEquals(codeOf(() => read(text)), "metadata-malformed", text);
});

Deno.test("encodePex writes what decodePex reads, of both families, with flags", () => {
  const added = [
    { host: "10.0.0.1", port: 1, seed: true, reachable: false },
    { host: "fd00::2", port: 2, seed: false, reachable: true },
    { host: "10.0.0.3", port: 3, seed: false, reachable: false },
  ];
  const named = { host: "a.example", port: 5, seed: false, reachable: true };
  const dropped = [{ host: "fd00::9", port: 9 }, { host: "10.0.0.9", port: 9 }];
  const read = decodePex(encodePex({ added: [...added, named], dropped }));
  assertEquals(read.added, [added[0]!, added[2]!, added[1]!]);
  assertEquals(
    read.dropped.map(({ host, port }) => ({ host, port })),
    [dropped[1]!, dropped[0]!],
  );
  assertEquals(decodePex(utf8("de")), { added: [], dropped: [] });
  // Port 0 is nowhere, and does not shift the flags.
  assertEquals(
    decodePex(utf8("d5:added12:aaaa\0\0bbbb\0\x017:added.f2:\0\x02e")).added,
    [{ host: "98.98.98.98", port: 1, seed: true, reachable: false }],
  );
  assertEquals(
    codeOf(() => decodePex(utf8("d5:added7:aaaa\0\x01be"))),
    "pex-malformed",
  );
  const many = new Uint8Array(6 * 5000).fill(7);
  assertEquals(
    decodePex(concat(utf8(`d5:added${many.length}:`), many, utf8("e"))).added
      .length,
    200,
  );
});

Deno.test("the decoders of extended messages throw nothing but ProtocolError (seed 10)", () => {
  const samples = [
    encodeExtendedHandshake({
      ...{ port: 1, client: "c", yourIp: "10.0.0.1", reqq: 5 },
      ...{ metadataBytes: 99, uploadOnly: true },
    }),
    encodePex({
      added: [{ host: "10.0.0.1", port: 1, seed: true, reachable: true }],
      dropped: [{ host: "fd00::1", port: 1 }],
    }),
    encodeMetadataMessage({
      ...{ kind: "data", block: 1, totalBytes: 9, bytes: utf8("abc") },
    }),
  ];
  for (
    const decode of [decodeExtendedHandshake, decodePex, decodeMetadataMessage]
  ) {
    const { accepted, refused } = fuzz(samples, decode, {
      seed: 10,
      rounds: 3000,
    });
    assert(accepted > 0 && refused > 0);
  }
});

Deno.test("canonicalPriority computes what BEP 40 gives as its examples, the same for both peers", () => {
  const priority = (a: string, b: string) =>
    canonicalPriority({ host: a, port: 6881 }, { host: b, port: 1000 });
  assertEquals(priority("123.213.32.10", "98.76.54.32"), 0xec2d7224);
  assertEquals(priority("123.213.32.10", "123.213.32.234"), 0x99568189);
  assertEquals(
    priority("98.76.54.32", "123.213.32.10"),
    priority("123.213.32.10", "98.76.54.32"),
  );
  // Two of one /48 are told apart by the byte after it; far ones by half the bits of the rest.
  assert(
    priority("fd00:1:2:300::1", "fd00:1:2:400::1") !==
      priority("fd00:1:2:300::1", "fd00:1:2:500::1"),
  );
  assertEquals(
    priority("fd00:1:2:300::1", "fd00:9:2:400::1"),
    priority("fd00:1:2:300::1", "fd00:9:2:600::1"),
  );
  const here = { host: "10.0.0.1", port: 1 };
  assert(
    canonicalPriority(here, { host: "10.0.0.1", port: 2 }) !==
      canonicalPriority(here, { host: "10.0.0.1", port: 3 }),
  );
  assertThrows(() => priority("10.0.0.1", "fd00::1"), RangeError);
});

Deno.test("ExternalAddress believes most hosts, each of which has one vote", () => {
  const external = new ExternalAddress();
  assertEquals(external.bestLike("10.0.0.1"), null);
  for (let lie = 0; lie < 10; lie++) external.named("9.9.9.9", "10.0.0.66");
  external.named("20.0.0.1", "10.0.0.2");
  external.named("20.0.0.1", "10.0.0.3");
  external.named("fd00::7", "fd00::1");
  assertEquals(external.bestLike("10.0.0.1"), "20.0.0.1");
  assertEquals(external.bestLike("fd00::1"), "fd00::7");
});

Deno.test("reachOf tells near from far addresses", () => {
  const cases = {
    machine: ["127.8.0.1", "::1", "::ffff:127.0.0.1"],
    site: ["10.1.1.1", "172.31.0.1", "192.168.1.1", "fe80::1", "fd12::1"],
    world: ["8.8.8.8", "172.32.0.1", "2001:db8::1"],
    nowhere: ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "a.example"],
  };
  for (const [reach, hosts] of Object.entries(cases)) {
    for (const host of hosts) assertEquals(reachOf(host), reach, host);
  }
});
