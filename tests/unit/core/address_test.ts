import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  anyAddressOf,
  cidrContains,
  familyOf,
  formatAddress,
  formatCidr,
  formatHostPort,
  isAddress,
  isLoopback,
  maskAddress,
  parseAddress,
  parseCidr,
  unmapAddress,
} from "../../../lib/core/address.ts";

Deno.test("formatAddress writes what RFC 5952 recommends", () => {
  for (
    const [given, canonical] of [
      ["0.0.0.0", "0.0.0.0"],
      ["255.255.255.255", "255.255.255.255"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], // §4.2.3: first of equals
      ["2001:0db8::0001", "2001:db8::1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"], // §4.2.2: not one group
      ["2001:DB8::A", "2001:db8::a"],
      ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
      ["0:0:0:0:0:0:0:0", "::"],
      ["::1", "::1"],
      ["1::", "1::"],
      ["0:0:0:0:0:0:0:1", "::1"],
      ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
      ["::ffff:c000:201", "::ffff:192.0.2.1"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
      ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ] as const
  ) assertEquals(formatAddress(parseAddress(given)), canonical);
});

Deno.test("parseAddress refuses what is no address", () => {
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "01.2.3.4",
      "256.1.1.1",
      "1.2.3.-4",
      "1.2.3.4 ",
      "localhost",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "g::",
      "fe80::1%eth0",
      "::1.2.3.4:5",
      "1.2.3.4::",
      "::1.2.3.256",
      "[::1]",
    ]
  ) {
    assertThrows(() => parseAddress(text), SyntaxError);
    assert(!isAddress(text));
  }
});

Deno.test("formatAddress and parseAddress round-trip any bytes", () => {
  for (let seed = 1; seed < 400; seed++) {
    const bytes = new Uint8Array(seed % 3 === 0 ? 4 : 16);
    let state = seed;
    for (let at = 0; at < bytes.length; at++) {
      state = Math.imul(state, 1103515245) + 12345 >>> 0;
      bytes[at] = state >>> 24 < 128 ? 0 : state >>> 16;
    }
    assertEquals(parseAddress(formatAddress(bytes)), bytes);
  }
  assertThrows(() => formatAddress(new Uint8Array(5)), RangeError);
});

Deno.test("unmapAddress returns the IPv4 inside, and others as they are", () => {
  assertEquals([...unmapAddress(parseAddress("::ffff:10.0.0.1"))], [
    10,
    0,
    0,
    1,
  ]);
  assertEquals(unmapAddress(parseAddress("::fffe:10.0.0.1")).length, 16);
  assertEquals(unmapAddress(parseAddress("10.0.0.1")).length, 4);
});

Deno.test("formatHostPort puts IPv6 in brackets", () => {
  assertEquals(formatHostPort({ host: "::1", port: 53 }), "[::1]:53");
  assertEquals(
    formatHostPort({ host: "127.0.0.1", port: 53 }),
    "127.0.0.1:53",
  );
  assertEquals(formatHostPort({ host: "", port: 53 }), "*:53");
});

Deno.test("isLoopback and familyOf tell of what kind a literal address is", () => {
  for (
    const [host, family, isOwn] of [
      ["127.0.0.1", "ipv4", true],
      ["127.9.9.9", "ipv4", true],
      ["::1", "ipv6", true],
      ["12.7.0.1", "ipv4", false],
      ["2001:db8::127", "ipv6", false],
      ["0.0.0.0", "ipv4", false],
    ] as const
  ) {
    assertEquals([familyOf(host), isLoopback(host)], [family, isOwn], host);
    assertEquals(familyOf(anyAddressOf(family)), family);
  }
});

Deno.test("parseCidr reads networks and refuses slips", () => {
  assertEquals(formatCidr(parseCidr("127.1.0.0/16")), "127.1.0.0/16");
  assertEquals(formatCidr(parseCidr("10.0.0.1")), "10.0.0.1/32");
  assertEquals(formatCidr(parseCidr("2001:DB8::/32")), "2001:db8::/32");
  assertEquals(formatCidr(parseCidr("0.0.0.0/0")), "0.0.0.0/0");
  for (
    const text of [
      "10.0.0.1/8",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/08",
      "10.0.0/8",
      "::/129",
      "x/8",
    ]
  ) assertThrows(() => parseCidr(text), SyntaxError);
});

Deno.test("cidrContains compares exactly the prefix", () => {
  for (
    const [cidr, address, inside] of [
      ["127.1.0.0/16", "127.1.255.255", true],
      ["127.1.0.0/16", "127.2.0.0", false],
      ["10.0.0.128/25", "10.0.0.128", true],
      ["10.0.0.128/25", "10.0.0.127", false],
      ["0.0.0.0/0", "255.1.2.3", true],
      ["0.0.0.0/0", "::1", false],
      ["2001:db8::/33", "2001:db8:8000::", false],
      ["2001:db8::/33", "2001:db8:7fff::1", true],
      ["10.0.0.1", "10.0.0.1", true],
    ] as const
  ) assertEquals(cidrContains(parseCidr(cidr), parseAddress(address)), inside);
});

Deno.test("maskAddress clears the bits after the prefix", () => {
  assertEquals(
    formatAddress(maskAddress(parseAddress("10.255.255.255"), 12)),
    "10.240.0.0",
  );
  assertEquals(
    formatAddress(maskAddress(parseAddress("10.1.2.3"), 0)),
    "0.0.0.0",
  );
  assertEquals(
    formatAddress(maskAddress(parseAddress("10.1.2.3"), 32)),
    "10.1.2.3",
  );
});
