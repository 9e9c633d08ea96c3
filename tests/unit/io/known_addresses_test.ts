import { assertEquals, assertThrows } from "@std/assert";
import { KnownAddresses } from "../../../lib/io/known_addresses.ts";

Deno.test("KnownAddresses gives one client one form, however often and however it came", () => {
  const addresses = new KnownAddresses();
  const client = [192, 0, 2, 7];
  assertEquals([...addresses.bytesOf("192.0.2.7")], client);
  assertEquals([...addresses.bytesOf("::ffff:192.0.2.7")], client);
  assertEquals(
    addresses.bytesOf("fe80::1%eth0"),
    addresses.bytesOf("fe80::1"),
  );
  assertEquals(
    addresses.bytesOf("192.0.2.7"),
    addresses.bytesOf("192.0.2.7"),
  );
  assertThrows(() => addresses.bytesOf("no.address"), SyntaxError);
});

Deno.test("KnownAddresses remembers no more clients than it has room for", () => {
  const addresses = new KnownAddresses();
  const first = addresses.bytesOf("10.0.0.0");
  assertEquals(addresses.bytesOf("10.0.0.0") === first, true);
  for (let at = 1; at <= 1024; at++) {
    addresses.bytesOf(`10.0.${at >> 8}.${at & 255}`);
  }
  assertEquals(addresses.bytesOf("10.0.0.0") === first, false);
  assertEquals([...addresses.bytesOf("10.0.4.0")], [10, 0, 4, 0]);
});
