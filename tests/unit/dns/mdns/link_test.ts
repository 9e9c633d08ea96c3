import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import { mdnsMessage, ownRecords } from "../../../../lib/dns/mdns/service.ts";
import { encodeMessage } from "../../../../lib/dns/message.ts";
import { Link, serviceOf } from "./_link.ts";

Deno.test("mdns: a service probes three times, 250 ms apart, then announces itself twice, a second apart", () => {
  const link = new Link();
  const edge = link.join(serviceOf("edge"), "10.0.0.1");
  link.run(10_000);
  const probes = link.sent.filter(({ message }) => !message.isResponse);
  const announcements = link.sent.filter(({ message }) => message.isResponse);
  const gaps = (sent: readonly { readonly atMs: number }[]) =>
    sent.slice(1).map(({ atMs }, at) => Math.round(atMs - sent[at]!.atMs));
  assertEquals(gaps(probes), [250, 250]);
  assertEquals(gaps(announcements), [1000]);
  assert(probes[0]!.atMs <= 250);
  assertEquals(link.names.get(edge), "edge");
  // Its address stands in each: 10.0.0.1.
  for (const { message } of announcements) {
    assertEquals(message.answers.length, 4);
    assertEquals([...message.answers[3]!.rdata], [10, 0, 0, 1]);
  }
});

Deno.test("mdns: of two that take one name at once, or one after the other, one gets a number", () => {
  for (const laterMs of [0, 10, 300, 700, 5_000]) {
    const link = new Link();
    const first = link.join(serviceOf("edge", "host-1"), "10.0.0.1", 3);
    link.run(laterMs);
    const second = link.join(serviceOf("edge", "host-2"), "10.0.0.2", 8);
    link.run(20_000);
    const names = [link.names.get(first), link.names.get(second)];
    assertEquals(names.toSorted(), ["edge", "edge (2)"], `${laterMs} ms`);
    // Who was there first keeps it.
    if (laterMs >= 1_500) assertEquals(names, ["edge", "edge (2)"]);
  }
});

Deno.test("mdns: sixty services of one name all get names of their own within 20 s", () => {
  const link = new Link();
  const rng = seededRng(5);
  const all = Array.from({ length: 60 }, (_, at) => {
    const joined = link.join(
      serviceOf("peer", `host-${at}`),
      `10.0.1.${at}`,
      at + 1,
    );
    link.run(link.nowMs + rng() * 400);
    return joined;
  });
  const browser = link.browse();
  link.run(link.nowMs + 20_000);
  assertEquals(link.names.size, 60);
  link.run(link.nowMs + 280_000);
  assertEquals(new Set(all.map((one) => link.names.get(one))).size, 60);
  assertEquals(browser.services.length, 60);
});

Deno.test("mdns: what comes is found, with its address; a goodbye is heard after a second, silence after two minutes", () => {
  const link = new Link();
  const browser = link.browse();
  const first = link.join(serviceOf("one", "host-1"), "10.0.0.1", 2);
  const second = link.join(serviceOf("two", "host-2"), "10.0.0.2", 3);
  link.run(5_000);
  assertEquals(
    browser.services.map(({ label, addresses, port, texts }) => [
      ...[label, addresses, port, texts.get("name")],
    ]),
    [
      ["one", ["10.0.0.1"], 8080, "one"],
      ["two", ["10.0.0.2"], 8080, "two"],
    ],
  );
  assertEquals(link.found.length, 2, "each is told once");
  link.leave(first, { politely: true });
  link.run(link.nowMs + 900);
  assertEquals(link.lost, []);
  link.run(link.nowMs + 200);
  assertEquals(link.lost, ["one"]);
  link.leave(second, { politely: false });
  link.run(link.nowMs + 30_000);
  assertEquals(link.lost, ["one"]);
  link.run(link.nowMs + 120_000);
  assertEquals(link.lost, ["one", "two"]);
});

Deno.test("mdns: who said what a service says is known; what a stranger says instead is said by the stranger alone", () => {
  const link = new Link();
  const browser = link.browse();
  const service = serviceOf("one", "host-1");
  link.join(service, "10.0.0.1", 2);
  link.run(5_000);
  assertEquals(browser.services[0]?.tellers, ["10.0.0.1"]);
  const texts = new Map([["admin", "10.0.0.1:22"]]);
  const answers = ownRecords({ ...service, texts });
  const from = { host: "10.0.0.66", port: 5353 };
  const message = mdnsMessage({ isResponse: true, answers });
  browser.handle(
    { kind: "datagram", bytes: encodeMessage(message), from },
    link.nowMs,
  );
  assertEquals(browser.services[0]?.tellers, ["10.0.0.66"]);
});

Deno.test("mdns: the addresses of a host that no service is at any more are forgotten", () => {
  const link = new Link();
  const browser = link.browse();
  link.join(serviceOf("one", "host-1"), "10.0.0.1", 2);
  link.run(5_000);
  for (const host of ["host-2", "host-1"]) {
    const answers = ownRecords(serviceOf("one", host));
    const message = mdnsMessage({ isResponse: true, answers });
    const from = { host: "10.0.0.1", port: 5353 };
    const bytes = encodeMessage(message);
    browser.handle({ kind: "datagram", bytes, from }, link.nowMs);
    assertEquals(browser.services[0]?.addresses, []);
  }
});

Deno.test("mdns: who stays is never lost, and a browser that comes late finds it by asking", () => {
  const link = new Link();
  link.join(serviceOf("edge"), "10.0.0.1");
  link.run(60_000);
  const browser = link.browse();
  link.run(60_200);
  assertEquals(browser.services.length, 1);
  link.run(2_000_000);
  assertEquals([link.found.length, link.lost.length], [1, 0]);
  // A question a minute at most, once it has settled, and an answer to each that needs one.
  assert(link.sent.length < 80, `${link.sent.length} sent in half an hour`);
});
