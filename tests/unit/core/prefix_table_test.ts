import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  cidrContains,
  formatCidr,
  maskAddress,
  parseAddress,
  parseCidr,
} from "../../../lib/core/address.ts";
import { PrefixTable } from "../../../lib/core/prefix_table.ts";
import { seededRng } from "../../../lib/core/rng.ts";

Deno.test("PrefixTable finds the longest network and how far the answer holds", () => {
  const table = new PrefixTable<string>();
  for (
    const text of ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "2001:db8::/32"]
  ) table.add(parseCidr(text), text);
  const find = (text: string) => {
    const cidr = parseCidr(text);
    const found = table.find(cidr.bytes, cidr.prefixLength);
    return [found.entry?.value, found.scopeLength];
  };
  assertEquals(find("10.1.2.3"), ["10.1.2.0/24", 24]);
  assertEquals(find("10.1.3.3"), ["10.1.0.0/16", 24]);
  assertEquals(find("10.128.0.0"), ["10.0.0.0/8", 9]);
  assertEquals(find("11.0.0.0"), [undefined, 8]);
  assertEquals(find("10.1.0.0/16"), ["10.1.0.0/16", 23]);
  assertEquals(find("10.0.0.0/7"), [undefined, 16]);
  assertEquals(find("2001:db8::1"), ["2001:db8::/32", 32]);
  assertEquals(find("::1"), [undefined, 3]);
  assertThrows(() => table.add(parseCidr("10.0.0.0/8"), "again"), RangeError);
  assertEquals(table.size, 4);
});

Deno.test("PrefixTable agrees with a search through all networks", () => {
  const table = new PrefixTable<number>();
  const cidrs = [];
  let state = 7;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0);
  for (let index = 0; index < 200; index++) {
    const prefixLength = next() % 12;
    const bytes = maskAddress(
      new Uint8Array([next() >>> 24, next() >>> 24, 0, 0]),
      prefixLength,
    );
    try {
      table.add({ bytes, prefixLength }, index);
      cidrs.push({ bytes, prefixLength, index });
    } catch { /* drawn twice */ }
  }
  for (let index = 0; index < 500; index++) {
    const address = new Uint8Array([next() >>> 24, next() >>> 24, 1, 1]);
    const best = cidrs.filter((cidr) => cidrContains(cidr, address))
      .toSorted((a, b) => b.prefixLength - a.prefixLength)[0];
    const found = table.find(address);
    assertEquals(found.entry?.value, best?.index);
    const neighbour = maskAddress(address, found.scopeLength);
    assertEquals(table.find(neighbour).entry?.value, best?.index);
  }
});

/** A table of `texts` such as `10.0.0.0/8 a`. */
function tableOf(...texts: string[]): PrefixTable<string> {
  const table = new PrefixTable<string>();
  for (const text of texts) {
    const [cidr = "", value = ""] = text.split(" ");
    table.add(parseCidr(cidr), value);
  }
  return table;
}

for (
  const [networks, address, value, scope] of [
    // nested with one answer: the outer one's scope
    [["10.0.0.0/8 a", "10.1.0.0/16 a"], "10.1.2.3", "a", 8],
    [["10.0.0.0/8 a", "10.1.0.0/16 b"], "10.1.2.3", "b", 16],
    [["10.0.0.0/8 a", "10.1.0.0/16 b"], "10.0.2.3", "a", 16],
    [["10.0.0.0/8 a", "10.1.0.0/16 b"], "10.2.2.3", "a", 15],
    [["10.0.0.0/8 a", "10.1.0.0/16 b", "10.1.2.0/24 b"], "10.1.2.3", "b", 16],
    [["10.0.0.0/8 a", "10.1.0.0/16 b", "10.1.2.0/24 a"], "10.1.2.3", "a", 24],
    // side by side
    [["10.0.0.0/9 a", "10.128.0.0/9 a"], "10.1.2.3", "a", 8],
    [["10.0.0.0/9 a", "10.128.0.0/9 b"], "10.1.2.3", "a", 9],
    [["10.0.0.0/9 a", "10.128.0.0/10 a"], "10.1.2.3", "a", 9],
    // all of the Internet
    [["0.0.0.0/0 a"], "10.1.2.3", "a", 0],
    [["0.0.0.0/0 a", "10.0.0.0/8 a"], "10.1.2.3", "a", 0],
    [["0.0.0.0/1 a", "128.0.0.0/1 a"], "10.1.2.3", "a", 0],
    [["0.0.0.0/0 a", "10.0.0.0/8 b"], "11.1.2.3", "a", 8],
    [["10.0.0.0/8 a"], "2001:db8::1", undefined, 0],
    [["::/0 a", "2001:db8::/32 a"], "2001:db8::1", "a", 0],
  ] as const
) {
  Deno.test(`PrefixTable gives ${address} ${value} for /${scope} when there is ${networks.join(", ")}`, () => {
    const found = tableOf(...networks).find(parseAddress(address));
    assertEquals([found.entry?.value, found.scopeLength], [value, scope]);
  });
}

Deno.test("PrefixTable tells the networks around the one it found, the next longer first", () => {
  const table = tableOf("10.1.2.0/24 c", "0.0.0.0/0 a", "10.1.0.0/16 b");
  const passed = [];
  for (
    let at = table.find(parseAddress("10.1.2.3")).entry;
    at !== undefined;
    at = at.outer
  ) passed.push(formatCidr(at.cidr));
  assertEquals(passed, ["10.1.2.0/24", "10.1.0.0/16", "0.0.0.0/0"]);
});

/** Eight bits with three answers, small enough to look at all of them, after so many others that are 0. */
for (
  const [bytes, offset] of [[4, 0], [4, 13], [4, 24], [16, 28], [16, 61]]
) {
  Deno.test(
    `PrefixTable's scope is the largest network with one answer, for any networks that differ in 8 of ${
      8 * (bytes ?? 0)
    } bits from ${offset} on`,
    () => scopesAreLargest(bytes ?? 0, offset ?? 0),
  );
}

function scopesAreLargest(bytes: number, offset: number): void {
  const rng = seededRng(7871);
  const draw = (count: number) => Math.floor(rng() * count);
  const addressOf = (value: number) => {
    const address = new Uint8Array(bytes);
    const at = offset >> 3;
    address[at] = value >> (offset & 7);
    if ((offset & 7) > 0) address[at + 1] = value << (8 - (offset & 7));
    return address;
  };
  for (let round = 0; round < 60; round++) {
    const table = new PrefixTable<number>();
    const answers = new Array(256).fill(undefined);
    const networks = new Map<string, readonly [number, number, number]>();
    for (let count = draw(14); count >= 0; count--) {
      const length = draw(9);
      const start = draw(256) >> (8 - length) << (8 - length);
      networks.set(`${start}/${length}`, [start, length, draw(3)]);
    }
    const widestFirst = [...networks.values()].sort((a, b) => a[1] - b[1]);
    for (const [start, length, value] of widestFirst) {
      answers.fill(value, start, start + 2 ** (8 - length));
    }
    for (const [start, length, value] of networks.values()) {
      const cidr = { bytes: addressOf(start), prefixLength: offset + length };
      table.add(cidr, value);
    }
    const isOne = (address: number, length: number) => {
      const size = 2 ** (8 - length);
      const start = address - address % size;
      return new Set(answers.slice(start, start + size)).size === 1;
    };
    const hasLength = (start: number, length: number) =>
      networks.get(`${start}/${length}`)?.[2];
    for (let address = 0; address < 256; address++) {
      const found = table.find(addressOf(address));
      assertEquals(found.value, answers[address]);
      assertEquals(found.entry?.value, answers[address]);
      // all in front of the eight bits is 0, and nothing is known of the rest of the Internet
      const scope = found.scopeLength - offset;
      assert(scope >= 0 && isOne(address, scope), `${round} ${address}`);
      assert(scope === 0 || !isOne(address, scope - 1));
      for (let known = 0; known < 8; known++) {
        const start = address >> (8 - known) << (8 - known);
        let longest: number | undefined;
        for (let length = 0; length <= known; length++) {
          longest = hasLength(start >> (8 - length) << (8 - length), length) ??
            longest;
        }
        const cut = table.find(addressOf(start), offset + known);
        assertEquals(cut.value, longest, `${round} ${start}/${known}`);
      }
    }
  }
}
