import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromUtf8, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../lib/core/errors.ts";
import {
  decodeLsd,
  encodeLsd,
  LocalDiscovery,
} from "../../../lib/bittorrent/lsd.ts";
import { fuzz } from "./_fuzz.ts";

const INFO_HASH = new Uint8Array(20).map((_, at) => at * 11);
/** The other name of a hybrid torrent. */
const V2 = new Uint8Array(20).fill(2);
const HEX = toHex(INFO_HASH);
const FROM = { host: "10.0.0.7", port: 50_000 };

/** An announce as BEP 14 has it. */
const ANNOUNCE =
  `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${HEX}\r\ncookie: abc\r\n\r\n\r\n`;

function newMachine() {
  return new LocalDiscovery({
    ...{
      infoHashes: [INFO_HASH, V2],
      port: 7000,
      cookie: "ours",
      group: "ipv4",
    },
  });
}

function hear(machine: LocalDiscovery, text: string, host = FROM.host) {
  const from = { ...FROM, host };
  return machine.handle({ kind: "datagram", bytes: utf8(text), from }, 5);
}

Deno.test("encodeLsd writes the announce of BEP 14", () => {
  const announce = { port: 6881, infoHashes: [INFO_HASH], cookie: "abc" };
  assertEquals(fromUtf8(encodeLsd(announce, "ipv4")), ANNOUNCE);
  assert(
    fromUtf8(encodeLsd({ ...announce, cookie: null }, "ipv6")).startsWith(
      "BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\n",
    ),
  );
});

Deno.test("decodeLsd reads names in any case, several info-hashes, and passes over headers it does not know", () => {
  const other = "ff".repeat(20);
  assertEquals(
    decodeLsd(
      utf8(
        `BT-SEARCH * HTTP/1.1\r\nX-New: 1\r\nPORT: 1\r\ninfoHash: ${HEX.toUpperCase()}\r\nInfohash: ${other}\r\nInfohash: short\r\n\r\n`,
      ),
    ),
    {
      port: 1,
      infoHashes: [INFO_HASH, new Uint8Array(20).fill(255)],
      cookie: null,
    },
  );
});

Deno.test("decodeLsd refuses what is no announce", () => {
  for (
    const text of [
      "",
      "M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n",
      ANNOUNCE.replace("6881", "0"),
      ANNOUNCE.replace("6881", "65536"),
      ANNOUNCE.replace("6881", "-1"),
      ANNOUNCE.replace("Port", "Part"),
      ANNOUNCE.replace(HEX, HEX.slice(1)),
      ANNOUNCE + "x".repeat(1400),
    ]
  ) {
    const error = assertThrows(() => decodeLsd(utf8(text)), ProtocolError);
    assertEquals(error.code, "lsd-malformed", text);
  }
});

Deno.test("decodeLsd survives truncations and mutations", () => {
  const { accepted, refused } = fuzz([utf8(ANNOUNCE)], decodeLsd, {
    ...{ seed: 3, rounds: 5_000 },
  });
  assert(accepted > 100 && refused > 100, `${accepted} ${refused}`);
});

Deno.test("LocalDiscovery announces once a minute while it is alone, then every five", () => {
  const machine = newMachine();
  const sends = (nowMs: number) =>
    machine.handle({ kind: "timeout" }, nowMs).filter(({ kind }) =>
      kind === "send"
    ).length;
  const [first] = machine.handle({ kind: "start" }, 0);
  assert(first?.kind === "send");
  const { port, infoHashes } = decodeLsd(first.bytes);
  assertEquals([port, infoHashes], [7000, [INFO_HASH, V2]]);
  assertEquals([sends(59_999), machine.deadlineMs], [0, 60_000]);
  assertEquals([sends(60_000), machine.deadlineMs], [1, 120_000]);
  hear(machine, ANNOUNCE);
  // That of the last minute stands; from then on the pace is that of BEP 14.
  assertEquals([sends(120_000), machine.deadlineMs], [1, 420_000]);
});

Deno.test("LocalDiscovery finds who shares the same torrent, and neither itself nor others", () => {
  const machine = newMachine();
  const peer = { host: "10.0.0.7", port: 6881 };
  const found = { kind: "peer-found", peer } as const;
  const [event, ...rest] = hear(machine, ANNOUNCE);
  assertEquals([event?.kind, rest], ["event", [found]]);
  // It may have been given up meanwhile: it is passed on again, and told once.
  assertEquals(hear(machine, ANNOUNCE), [found]);
  assertEquals(hear(machine, ANNOUNCE.replace(HEX, toHex(V2))), [found]);
  assertEquals(hear(machine, ANNOUNCE.replace("abc", "ours")), []);
  assertEquals(hear(machine, ANNOUNCE.replace(HEX, "ff".repeat(20))), []);
  assertEquals(hear(machine, ANNOUNCE, "fe80::1"), []);
  assertEquals(hear(machine, "rubbish"), []);
});
