import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { Bitfield } from "../../../../lib/bittorrent/wire/bitfield.ts";

Deno.test("Bitfield puts piece 0 into the high bit of the first byte", () => {
  const field = new Bitfield(10);
  assert(field.add(0) && field.add(9) && !field.add(9));
  assertEquals([...field.toBytes()], [0x80, 0x40]);
  assertEquals([field.has(0), field.has(1), field.has(9), field.has(10)], [
    true,
    false,
    true,
    false,
  ]);
  assertEquals(field.count, 2);
  field.addAll();
  assert(field.complete);
  assertThrows(() => field.add(10), RangeError);
});

Deno.test("Bitfield.fromBytes reads what toBytes wrote and refuses other lengths and spare bits", () => {
  const field = Bitfield.fromBytes(Uint8Array.of(0xff, 0xc0), 10);
  assertEquals([field.count, field.complete], [10, true]);
  const codeOf = (bytes: readonly number[]) =>
    assertThrows(
      () => Bitfield.fromBytes(Uint8Array.from(bytes), 10),
      ProtocolError,
    ).code;
  assertEquals(codeOf([0xff]), "bitfield-bad-length");
  assertEquals(codeOf([0xff, 0xc0, 0]), "bitfield-bad-length");
  assertEquals(codeOf([0xff, 0xe0]), "bitfield-spare-bits");
});
