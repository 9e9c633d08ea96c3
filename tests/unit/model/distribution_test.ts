import { assertEquals } from "@std/assert";
import {
  clientServerSeconds,
  type Distribution,
  peerToPeerSeconds,
} from "../../../lib/model/distribution.ts";

/** The slides' example in hours: F/u = 1, u_s = 10u, d_min ≥ u_s. */
function example(clients: number): Distribution {
  return {
    fileBytes: 1,
    clients,
    serverBytesPerSecond: 10,
    slowestDownloadBytesPerSecond: 10,
    peerBytesPerSecond: 1,
  };
}

Deno.test("clientServerSeconds grows linearly with the clients", () => {
  assertEquals([1, 10, 30].map((n) => clientServerSeconds(example(n))), [
    0.1,
    1,
    3,
  ]);
});

Deno.test("peerToPeerSeconds stays below one hour however many there are", () => {
  assertEquals(peerToPeerSeconds(example(1)), 0.1);
  assertEquals(peerToPeerSeconds(example(10)), 0.5);
  assertEquals(peerToPeerSeconds(example(30)), 0.75);
  assertEquals(peerToPeerSeconds(example(1e9)) < 1, true);
});

Deno.test("a slow download bounds both", () => {
  const slow = { ...example(2), slowestDownloadBytesPerSecond: 0.5 };
  assertEquals([clientServerSeconds(slow), peerToPeerSeconds(slow)], [2, 2]);
});
