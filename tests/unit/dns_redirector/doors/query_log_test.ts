import { assert, assertEquals } from "@std/assert";
import type { RolecallEvent } from "../../../../lib/events/mod.ts";
import type { RoleContext } from "../../../../lib/role.ts";
import { QueryLog } from "../../../../roles/dns_redirector/doors/query_log.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { ASKER, responderFor, ZONE } from "../../dns/authority/ask.ts";

function start() {
  const clock = new ManualClock();
  const events: RolecallEvent[] = [];
  const stop = new AbortController();
  const context: Pick<RoleContext, "clock" | "signal" | "emit"> = {
    clock,
    signal: stop.signal,
    emit: (event) => void events.push(event),
  };
  const log = new QueryLog(context as RoleContext);
  const responder = responderFor([ZONE]);
  const note = (name: string) => {
    const query = encodeQuery({ id: 1, name: parseName(name), type: 1 });
    log.note(query, responder.respond(query, ASKER), ASKER);
  };
  return { clock, events, log, note, stop };
}

Deno.test("QueryLog tells of choices, answers and what is no query", () => {
  const { events, log, note } = start();
  note("www.kingcdn.example");
  note("nowhere.kingcdn.example");
  log.note(new Uint8Array(3), undefined, ASKER);
  const responder = responderFor([ZONE]);
  const noQuestion = new Uint8Array(12);
  log.note(noQuestion, responder.respond(noQuestion, ASKER), ASKER);
  assertEquals(events.map((event) => event.type), [
    "edge.selected",
    "query.answered",
    "protocol.violated",
    "protocol.violated",
  ]);
  const [selected, answered, short, malformed] = events;
  assert(selected?.type === "edge.selected");
  assertEquals([selected.question, selected.redirectedName, selected.client], [
    "www.kingcdn.example",
    "video.kingcdn.example",
    "10.0.0.1",
  ]);
  assert(answered?.type === "query.answered");
  assertEquals([answered.rcode, answered.remote], [
    "NXDOMAIN",
    "10.0.0.1:4000",
  ]);
  assert(short?.type === "protocol.violated");
  assert(malformed?.type === "protocol.violated");
  assertEquals([short.code, malformed.code], [
    "dns-truncated",
    "dns-malformed",
  ]);
});

Deno.test("QueryLog counts what is more than 50 in a second, and says so when it is over", async () => {
  const { clock, events, log, note, stop } = start();
  for (let turn = 0; turn < 60; turn++) note("video.kingcdn.example");
  for (let turn = 0; turn < 5; turn++) note("nowhere.kingcdn.example");
  log.note(new Uint8Array(3), undefined, ASKER);
  for (let turn = 0; turn < 51; turn++) {
    log.noteEnd({
      type: "resolver.disconnected",
      remote: "10.0.0.1:4000",
      reason: "idle",
    });
  }
  assertEquals(events.length, 100);
  await clock.advanceTo(1000);
  assertEquals(events.length, 101);
  assertEquals(events[100], {
    type: "queries.counted",
    queries: 16,
    redirected: 10,
    refused: 5,
    dropped: 1,
    limited: 0,
    disconnected: 1,
    intervalMs: 1000,
  });
  note("video.kingcdn.example");
  assertEquals(events[101]?.type, "edge.selected");
  log.flush();
  assertEquals(events.length, 102);
  stop.abort();
});

Deno.test("QueryLog tells 10 a second while there are more than 50, and 50 again when it is quieter", async () => {
  const { clock, events, note, stop } = start();
  const toldOf = (count: number) => {
    const before = events.length;
    for (let turn = 0; turn < count; turn++) note("video.kingcdn.example");
    return events.slice(before).map((event) => event.type).length;
  };
  assertEquals(toldOf(51), 50);
  await clock.advanceTo(1000);
  assertEquals(toldOf(60), 10);
  await clock.advanceTo(2000);
  assertEquals(toldOf(50), 10);
  await clock.advanceTo(3000);
  assertEquals(toldOf(50), 50);
  await clock.advanceTo(4500);
  const counted = events.flatMap((event) =>
    event.type === "queries.counted" ? [event.queries] : []
  );
  assertEquals(counted, [1, 50, 40]);
  stop.abort();
});

Deno.test("QueryLog says what is wrong with a message, and counts answers beyond the rate limit by themselves", async () => {
  const { clock, events, log, stop } = start();
  const responder = responderFor([ZONE]);
  const told = (query: Uint8Array) => {
    log.note(query, responder.respond(query, ASKER), ASKER);
    const event = events.at(-1);
    assert(event?.type === "protocol.violated", event?.type);
    return `${event.code} ${event.message}`;
  };
  const anAnswer = new Uint8Array(12);
  anAnswer[2] = 0x80;
  const update = new Uint8Array(12);
  update[2] = 5 << 3;
  assertEquals(
    [new Uint8Array(11), anAnswer, update, new Uint8Array(12)].map(told),
    [
      "dns-truncated Cannot read a query: its head has 12 bytes, got 11",
      "dns-not-a-query Cannot answer: it is an answer itself (QR is set)",
      "dns-not-implemented Cannot answer: only the opcode QUERY is known; said NOTIMP",
      "dns-malformed Cannot answer: there is not one whole question in it; said FORMERR",
    ],
  );
  const query = encodeQuery({
    ...{ id: 1, name: parseName("video.kingcdn.example"), type: 1 },
  });
  for (const fate of ["slipped", "dropped"] as const) {
    for (let turn = 0; turn < 25; turn++) {
      const reply = responder.respond(query, ASKER);
      assert(reply !== undefined);
      const { bytes, length, rcode, truncated, answers, nameEnd, type } = reply;
      log.note(query, {
        ...{ bytes, length, rcode, truncated, answers, nameEnd, type, fate },
        ...{ choice: reply.choice, transfer: undefined },
      }, ASKER);
    }
  }
  const limited = events.flatMap((event) =>
    event.type === "query.limited" ? [event.fate] : []
  );
  assertEquals(limited.length, 46);
  assertEquals([limited[0], limited.at(-1)], ["slipped", "dropped"]);
  await clock.advanceTo(1000);
  const counted = events.at(-1);
  assert(counted?.type === "queries.counted");
  assertEquals([counted.queries, counted.limited, counted.redirected], [
    ...[4, 4, 0],
  ]);
  stop.abort();
});
