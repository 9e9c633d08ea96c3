import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseCidr } from "../../../lib/core/address.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import { RCODES, RECORD_TYPES } from "../../../lib/dns/codes.ts";
import { formatClientSubnet } from "../../../lib/dns/edns.ts";
import {
  decodeMessage,
  type DnsMessage,
  type DnsRecord,
  encodeMessage,
} from "../../../lib/dns/message.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { parseRdata } from "../../../lib/dns/rdata.ts";
import { showAnswer } from "../../../roles/dns_redirector/lookup/show_answer.ts";
import {
  type StubAnswer,
  type StubOutput,
  StubQuery,
  type StubQueryOptions,
} from "../../../lib/dns/stub_query.ts";

const NAME = parseName("video.netcinema.example.");

function record(text: string): DnsRecord {
  const [name = "", ttl = "", type = "", ...data] = text.split(" ");
  const number = RECORD_TYPES[type as keyof typeof RECORD_TYPES];
  return {
    name: parseName(name),
    type: number,
    class: 1,
    ttlSeconds: Number(ttl),
    rdata: parseRdata(
      number,
      data.map((word) => ({ text: word, quoted: false })),
      parseName("."),
    ),
  };
}

function query(options: Partial<StubQueryOptions> = {}): StubQuery {
  return new StubQuery({ name: NAME, rng: seededRng(3), ...options });
}

/** The answer of a server to what `outputs` sends. */
function reply(
  outputs: readonly StubOutput[],
  changes: Partial<DnsMessage>,
): Uint8Array<ArrayBuffer> {
  const sent = outputs[0];
  assert(sent?.kind === "send");
  return encodeMessage({
    ...decodeMessage(sent.bytes),
    isResponse: true,
    authoritative: true,
    ...changes,
  });
}

function answerOf(outputs: readonly StubOutput[]): StubAnswer {
  const output = outputs[0];
  assert(output?.kind === "answered", JSON.stringify(output));
  return output.answer;
}

const SOA = record(
  "kingcdn.example 300 SOA ns1.kingcdn.example. hostmaster.kingcdn.example. 1 7200 900 1209600 30",
);

Deno.test("StubQuery gives the addresses, the way there and the least TTL", () => {
  const machine = query();
  const sent = machine.handle({ kind: "start" }, 0);
  const bytes = reply(sent, {
    answers: [
      record("video.netcinema.example 300 CNAME video.kingcdn.example."),
      record("video.kingcdn.example 20 A 127.0.0.3"),
      record("other.example 1 A 9.9.9.9"),
    ],
  });
  const answer = answerOf(machine.handle({ kind: "message", bytes }, 5));
  assertEquals(answer.addresses, ["127.0.0.3"]);
  assertEquals(answer.names, [
    "video.netcinema.example",
    "video.kingcdn.example",
  ]);
  assertEquals(answer.ttlSeconds, 20);
  assertEquals(answer.rcode, "NOERROR");
  assertEquals(machine.deadlineMs, Infinity);
});

Deno.test("StubQuery asks for an alias's target that the answer lacks", () => {
  const machine = query();
  const alias = [
    record("video.netcinema.example 300 CNAME video.kingcdn.example."),
  ];
  const first = machine.handle({ kind: "start" }, 0);
  const second = machine.handle(
    { kind: "message", bytes: reply(first, { answers: alias }) },
    1,
  );
  assert(second[0]?.kind === "send");
  assertEquals(
    decodeMessage(second[0].bytes).questions[0]?.name,
    parseName("video.kingcdn.example."),
  );
  const bytes = reply(second, {
    answers: [record("video.kingcdn.example 20 A 127.0.0.4")],
  });
  const answer = answerOf(machine.handle({ kind: "message", bytes }, 2));
  assertEquals(answer.addresses, ["127.0.0.4"]);
  assertEquals(answer.names.length, 2);
  assertEquals(answer.records.length, 2);
  assertEquals(answer.sentMessages, 2);
});

Deno.test("StubQuery ends at an alias whose target has no address", () => {
  const machine = query();
  const bytes = reply(machine.handle({ kind: "start" }, 0), {
    answers: [
      record("video.netcinema.example 300 CNAME video.kingcdn.example."),
    ],
    authorities: [SOA],
  });
  const answer = answerOf(machine.handle({ kind: "message", bytes }, 1));
  assertEquals(answer.addresses, []);
  assertEquals(answer.ttlSeconds, 30); // the SOA's last field, RFC 2308 §5
});

Deno.test("StubQuery answers with the alias when its target is another server's to answer", () => {
  const machine = query();
  const answers = [
    record("video.netcinema.example 300 CNAME video.kingcdn.example."),
  ];
  const first = machine.handle({ kind: "start" }, 0);
  const bytes = reply(first, { answers });
  const second = machine.handle({ kind: "message", bytes }, 1);
  const refused = reply(second, {
    rcode: RCODES.REFUSED,
    authoritative: false,
  });
  const answer = answerOf(
    machine.handle({ kind: "message", bytes: refused }, 2),
  );
  const { rcode, targetRcode, message, names } = answer;
  assertEquals([rcode, targetRcode], ["NOERROR", "REFUSED"]);
  assert(message.authoritative);
  assertEquals(names, ["video.netcinema.example", "video.kingcdn.example"]);
  const shown = showAnswer(answer, { server: "s", type: "A", elapsedMs: 1 });
  assertMatch(shown.text, /: NOERROR, flags aa rd, /);
  assertMatch(
    shown.text,
    /\nvideo\.kingcdn\.example is another server's to answer: this one says REFUSED\n$/,
  );
});

Deno.test("StubQuery says where aliases lead in a circle, and does not go round", () => {
  const machine = query();
  const first = machine.handle({ kind: "start" }, 0);
  const bytes = reply(first, {
    answers: [
      record("video.netcinema.example 300 CNAME a.example."),
      record("a.example 300 CNAME VIDEO.netcinema.example."),
    ],
  });
  const [output] = machine.handle({ kind: "message", bytes }, 1);
  assert(output?.kind === "failed");
  assertEquals(output.error.code, "dns-alias-loop");
  assertEquals(
    output.error.message,
    "Cannot look up video.netcinema.example (A): the aliases of video.netcinema.example lead in a circle",
  );
});

Deno.test("StubQuery stops in a loop of aliases", () => {
  const machine = query();
  let outputs = machine.handle({ kind: "start" }, 0);
  for (let turn = 0; turn < 40 && outputs[0]?.kind === "send"; turn++) {
    const asked = decodeMessage(outputs[0].bytes).questions[0]?.name;
    assert(asked !== undefined);
    const alias = { ...record("x 1 CNAME y."), name: asked };
    alias.rdata = parseName(`n${turn}.example.`);
    const bytes = reply(outputs, { answers: [alias] });
    outputs = machine.handle({ kind: "message", bytes }, turn);
  }
  assert(outputs[0]?.kind === "failed");
  assertEquals(outputs[0].error.code, "dns-alias-loop");
});

Deno.test("StubQuery asks again, each time waiting twice as long, then gives up", () => {
  const machine = query({ timeoutMs: 500, attempts: 3 });
  const kinds = machine.handle({ kind: "start" }, 0).map((o) => o.kind);
  const deadlines = [];
  while (machine.deadlineMs !== Infinity) {
    const atMs = machine.deadlineMs;
    deadlines.push(atMs);
    assertEquals(machine.handle({ kind: "timeout" }, atMs - 1), []);
    const outputs = machine.handle({ kind: "timeout" }, atMs);
    kinds.push(...outputs.map((output) => output.kind));
  }
  assertEquals(deadlines, [500, 1500, 3500]);
  assertEquals(kinds, ["send", "send", "send", "failed"]);
});

Deno.test("StubQuery goes to TCP for a cut-off answer, and again when the connection fails", () => {
  const machine = query({ attempts: 2 });
  const first = machine.handle({ kind: "start" }, 0);
  const cut = reply(first, { truncated: true });
  const overTcp = machine.handle({ kind: "message", bytes: cut }, 1);
  assert(overTcp[0]?.kind === "send");
  assertEquals(overTcp[0].transport, "tcp");
  const again = machine.handle({ kind: "disconnected" }, 2);
  assertEquals(again.map((output) => output.kind), ["send"]);
  const failed = machine.handle({ kind: "disconnected" }, 3);
  assertEquals(failed.map((output) => output.kind), ["failed"]);
});

Deno.test("StubQuery ignores what is not the answer to its question", () => {
  const machine = query();
  const sent = machine.handle({ kind: "start" }, 0);
  const right = reply(sent, {
    answers: [record("video.netcinema.example 300 A 127.0.0.3")],
  });
  const wrongId = right.slice();
  wrongId[0] = (wrongId[0] ?? 0) ^ 1;
  const other = reply(sent, {
    questions: [{ name: parseName("x."), type: 1, class: 1 }],
  });
  const echoed = reply(sent, { isResponse: false });
  for (const bytes of [wrongId, other, echoed, right.subarray(0, 20)]) {
    assertEquals(machine.handle({ kind: "message", bytes }, 1), []);
  }
  assertEquals(
    answerOf(machine.handle({ kind: "message", bytes: right }, 2)).addresses,
    ["127.0.0.3"],
  );
  assertEquals(machine.handle({ kind: "message", bytes: right }, 3), []);
});

Deno.test("StubQuery reports a refusal as the server's answer", () => {
  const machine = query({ type: RECORD_TYPES.AAAA });
  const sent = machine.handle({ kind: "start" }, 0);
  const bytes = reply(sent, { rcode: RCODES.REFUSED, questions: [] });
  const answer = answerOf(machine.handle({ kind: "message", bytes }, 1));
  assertEquals(answer.rcode, "REFUSED");
  assertEquals(answer.names, ["video.netcinema.example"]);
  assertEquals(answer.ttlSeconds, 0);
});

Deno.test("StubQuery asks for a network's clients", () => {
  const machine = query({ clientSubnet: parseCidr("127.2.0.0/20") });
  const sent = machine.handle({ kind: "start" }, 0)[0];
  assert(sent?.kind === "send");
  const subnet = decodeMessage(sent.bytes).edns?.clientSubnet;
  assert(subnet !== undefined);
  assertEquals(formatClientSubnet(subnet), "127.2.0.0/20/0");
});

Deno.test("StubQuery says why its last message could not be sent, and forgets it when the next one is", () => {
  const disconnected = { kind: "disconnected", reason: "no network" } as const;
  for (
    const [inputs, said] of [[3, /queries \(no network\)$/], [
      1,
      /ies$/,
    ]] as const
  ) {
    const machine = query();
    let outputs = machine.handle({ kind: "start" }, 0);
    for (let at = 0; outputs[0]?.kind === "send"; at += 1) {
      if (at < inputs) assertEquals(machine.handle(disconnected, 0), []);
      outputs = machine.handle({ kind: "timeout" }, machine.deadlineMs);
    }
    const [failed] = outputs;
    assert(failed?.kind === "failed");
    assertMatch(failed.error.message, said);
  }
});
