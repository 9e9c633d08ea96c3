import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import { RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { MdnsBrowser } from "../../../../lib/dns/mdns/browser.ts";
import {
  MdnsResponder,
  type ResponderOutput,
} from "../../../../lib/dns/mdns/responder.ts";
import {
  ALL_TYPES,
  hostName,
  instanceName,
  mdnsMessage,
  ownRecords,
  pointerOf,
  SERVICE_TYPE,
} from "../../../../lib/dns/mdns/service.ts";
import { type DnsRecord, encodeMessage } from "../../../../lib/dns/message.ts";
import { type Name, parseName } from "../../../../lib/dns/name.ts";
import { serviceOf } from "./_link.ts";

const SERVICE = serviceOf("edge");
const GROUP = { host: "10.0.0.9", port: 5353 };
const PLAIN = { host: "10.0.0.9", port: 40_000 };

/** A responder that has its name and has been silent for a while. */
function settled(): { readonly responder: MdnsResponder; readonly at: number } {
  const responder = new MdnsResponder(SERVICE, seededRng(1));
  responder.handle({ kind: "start" }, 0);
  let at = 0;
  while (responder.deadlineMs < Infinity) {
    at = responder.deadlineMs;
    responder.handle({ kind: "timeout" }, at);
  }
  return { responder, at: at + 10_000 };
}

function query(
  name: Name,
  type: number,
  options: {
    readonly answers?: readonly DnsRecord[];
    readonly authorities?: readonly DnsRecord[];
    readonly truncated?: boolean;
    readonly id?: number;
  } = {},
): Uint8Array {
  const questions = [{ name, type, class: 1 }];
  return encodeMessage({ ...mdnsMessage({ questions }), ...options });
}

function ask(
  responder: MdnsResponder,
  bytes: Uint8Array,
  nowMs: number,
  from = GROUP,
): ResponderOutput[] {
  return responder.handle({ kind: "datagram", bytes, from }, nowMs);
}

/** The types of the answers of the only output. */
function answered(outputs: readonly ResponderOutput[]): readonly number[] {
  assertEquals(outputs.length, 1);
  const [out] = outputs;
  assert(out !== undefined && out.kind !== "named");
  return out.message.answers.map(({ type }) => type);
}

Deno.test("mdns responder: the list is answered after 20 to 120 ms, what only it has at once, others' names never", () => {
  const { responder, at } = settled();
  const { PTR, SRV, TXT, A } = RECORD_TYPES;
  assertEquals(ask(responder, query(SERVICE_TYPE, PTR), at), []);
  const wait = responder.deadlineMs - at;
  assert(wait >= 20 && wait <= 120, `${wait} ms`);
  const outputs = responder.handle({ kind: "timeout" }, responder.deadlineMs);
  assertEquals(answered(outputs), [PTR]);
  const [out] = outputs;
  assert(out?.kind === "send" && out.addressesIn === "additionals");
  assertEquals(out.message.additionals.map(({ type }) => type), [SRV, TXT]);

  const own = ask(responder, query(instanceName("edge"), SRV), at + 5000);
  assertEquals(answered(own), [SRV, TXT]);
  const address = ask(responder, query(hostName(SERVICE), A), at + 5000);
  assert(address[0]?.kind === "send" && address[0].addressesIn === "answers");
  assertEquals(ask(responder, query(ALL_TYPES, PTR), at + 5000), []);
  const types = responder.handle({ kind: "timeout" }, responder.deadlineMs);
  assertEquals(answered(types), [PTR]);
  for (
    const [name, type] of [
      [parseName("_http._tcp.local."), PTR],
      [instanceName("other"), SRV],
      [SERVICE_TYPE, SRV],
      [instanceName("edge"), A],
    ] as const
  ) {
    assertEquals(ask(responder, query(name, type), at + 10_000), []);
    assertEquals(responder.deadlineMs, Infinity);
  }
});

Deno.test("mdns responder: nothing is multicast twice in a second, but to defend the name", () => {
  const { responder, at } = settled();
  const own = query(instanceName("edge"), RECORD_TYPES.SRV);
  assertEquals(ask(responder, own, at).length, 1);
  assertEquals(ask(responder, own, at + 500), []);
  assertEquals(ask(responder, own, at + 1001).length, 1);
  const other = { ...SERVICE, hostLabel: "other" };
  const probe = query(instanceName("edge"), RECORD_TYPES.ANY, {
    authorities: ownRecords(other),
  });
  assertEquals(ask(responder, probe, at + 1100).length, 1);
});

Deno.test("mdns responder: who knows the answer, for at least half its time, is not told; also when that comes in a second packet", () => {
  const { responder, at } = settled();
  const pointer = pointerOf(SERVICE);
  const known = (ttlSeconds: number) =>
    query(SERVICE_TYPE, RECORD_TYPES.PTR, {
      answers: [{ ...pointer, ttlSeconds }],
    });
  ask(responder, known(60), at);
  assertEquals(responder.deadlineMs, Infinity);
  ask(responder, known(59), at);
  assert(responder.deadlineMs < Infinity);
  responder.handle({ kind: "timeout" }, responder.deadlineMs);

  const later = at + 5000;
  ask(
    responder,
    query(SERVICE_TYPE, RECORD_TYPES.PTR, { truncated: true }),
    later,
  );
  assert(responder.deadlineMs >= later + 400);
  const rest = encodeMessage(
    mdnsMessage({ answers: [{ ...pointer, ttlSeconds: 100 }] }),
  );
  ask(responder, rest, later + 50);
  assertEquals(responder.deadlineMs, Infinity);
});

Deno.test("mdns responder: a resolver that knows no mDNS gets a reply of its own: id, question, 10 s, no flush bit", () => {
  const { responder, at } = settled();
  const bytes = query(SERVICE_TYPE, RECORD_TYPES.PTR, { id: 77 });
  const [out] = ask(responder, bytes, at, PLAIN);
  assert(out?.kind === "reply");
  assertEquals([out.to, out.message.id], [PLAIN, 77]);
  assertEquals(out.message.questions.length, 1);
  for (const record of [...out.message.answers, ...out.message.additionals]) {
    assertEquals([record.ttlSeconds, record.class], [10, 1]);
  }
});

Deno.test("mdns responder: an answer of another with its name sends it back to probing; one from a wrong port does not", () => {
  const { responder, at } = settled();
  const other = { ...SERVICE, hostLabel: "other" };
  const answers = ownRecords(other);
  const bytes = encodeMessage(mdnsMessage({ isResponse: true, answers }));
  ask(responder, bytes, at, PLAIN);
  assertEquals(responder.service.label, "edge");
  ask(responder, bytes, at);
  assertEquals(responder.service.label, "edge (2)");
  assertEquals(ask(responder, query(SERVICE_TYPE, RECORD_TYPES.PTR), at), []);
  // Our own words, which come back to us, are no conflict.
  const own = ownRecords(responder.service);
  ask(
    responder,
    encodeMessage(mdnsMessage({ isResponse: true, answers: own })),
    at,
  );
  assertEquals(responder.service.label, "edge (2)");
});

Deno.test("mdns responder: says goodbye only when it was known", () => {
  const fresh = new MdnsResponder(SERVICE, seededRng(1));
  fresh.handle({ kind: "start" }, 0);
  assertEquals(fresh.handle({ kind: "stop" }, 1), []);
  const { responder, at } = settled();
  const [out] = responder.handle({ kind: "stop" }, at);
  assert(out?.kind === "send");
  assertEquals(out.message.answers.map((one) => one.ttlSeconds), [0, 0, 0]);
  assertEquals(responder.deadlineMs, Infinity);
});

Deno.test("mdns: any bytes leave responder and browser unharmed", () => {
  const rng = seededRng(11);
  const samples = [
    query(SERVICE_TYPE, RECORD_TYPES.PTR),
    encodeMessage(mdnsMessage({
      isResponse: true,
      answers: [pointerOf(SERVICE), ...ownRecords(SERVICE)],
    })),
  ];
  const { responder, at } = settled();
  const browser = new MdnsBrowser();
  browser.handle({ kind: "start" }, 0);
  for (let round = 0; round < 20_000; round++) {
    const sample = samples[round % 2]!;
    const bytes = sample.slice(0, Math.ceil(rng() * sample.length));
    for (let change = Math.floor(rng() * 4); change > 0; change--) {
      bytes[Math.floor(rng() * bytes.length)] = rng() * 256;
    }
    ask(responder, bytes, at + round);
    browser.handle({ kind: "datagram", bytes, from: GROUP }, at + round);
    if (round % 10 === 0) {
      responder.handle({ kind: "timeout" }, at + round);
      browser.handle({ kind: "timeout" }, at + round);
    }
  }
  assert(browser.services.length <= 1000);
});

Deno.test("mdns browser: a flood of names is bounded", () => {
  const browser = new MdnsBrowser();
  for (let at = 0; at < 1500; at++) {
    const service = serviceOf(`flood ${at}`, `host-${at}`);
    const answers = [pointerOf(service), ...ownRecords(service)];
    const bytes = encodeMessage(mdnsMessage({ isResponse: true, answers }));
    browser.handle({ kind: "datagram", bytes, from: GROUP }, at);
  }
  assertEquals(browser.services.length, 1000);
});
