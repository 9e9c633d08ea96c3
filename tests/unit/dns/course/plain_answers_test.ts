import { assert, assertEquals } from "@std/assert";
import { parseAddress } from "../../../../lib/core/address.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { ResponseRateLimit } from "../../../../lib/dns/authority/rate_limit.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import {
  namesBeside,
  parseAliasFlag,
  parseEdgeFlag,
  zonesOfFlags,
} from "../../../../lib/dns/authority/zone_flags.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { PlainAnswers } from "../../../../lib/dns/course/plain_answers.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { equalNames, parseName } from "../../../../lib/dns/name.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { ASKER, ZONE } from "../authority/ask.ts";

const VIDEO = "video.kingcdn.example";

function plain(slip?: number): PlainAnswers {
  const zones = new ZoneTable(parseMasterFile(ZONE));
  return new PlainAnswers(
    new Responder(zones, {
      rng: () => 0.5,
      ...(slip === undefined ? {} : {
        clock: { nowMs: () => 1000, wallMs: () => 0 },
        rateLimit: new ResponseRateLimit({
          ...{ perSecond: 1, slip, exempt: [], key: 1 },
        }),
      }),
    }),
  );
}

/** The head's flags and counts in hexadecimal, and how many bytes follow it. */
function told(answers: PlainAnswers, query: Uint8Array): string {
  const reply = answers.respond(query, ASKER);
  if (reply === undefined || reply.length === 0) return "nothing";
  const { bytes } = reply;
  assertEquals(bytes.length, reply.length);
  assertEquals([bytes[0], bytes[1]], [query[0], query[1]]);
  const hex = [...bytes.subarray(2, 12)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.replace(/(....)(?=.)/g, "$1 ")} + ${bytes.length - 12}`;
}

function ask(name: string, options: { readonly type?: number } = {}) {
  const query = { id: 0xbeef, name: parseName(name), type: 1, ...options };
  return encodeQuery(query);
}

Deno.test("PlainAnswers sets AA and nothing else, whatever the query had, and keeps the question", () => {
  const answers = plain();
  // a question of 27 bytes and one A record of 16; the query had RD and EDNS
  assertEquals(told(answers, ask(VIDEO)), "8400 0001 0001 0000 0000 + 43");
  const mixed = ask(VIDEO.toUpperCase());
  // CD and AD are the query's as well
  mixed[3] = 0x30;
  const reply = answers.respond(mixed, ASKER);
  assert(reply !== undefined);
  const { questions, answers: records } = decodeMessage(reply.bytes);
  assert(equalNames(questions[0]!.name, parseName(VIDEO)));
  assertEquals(questions[0]!.name, parseName(VIDEO.toUpperCase()));
  assertEquals(records.length, 1);
  assertEquals(reply.bytes[3], 0);
});

Deno.test("PlainAnswers says NXDOMAIN to names it does not have and to names of others, without an authority section", () => {
  const answers = plain();
  for (const name of ["nowhere.kingcdn.example", "www.other.example"]) {
    const query = ask(name);
    assertEquals(
      told(answers, query),
      `8403 0001 0000 0000 0000 + ${name.length + 6}`,
    );
  }
  // the name is there, the type is not
  assertEquals(
    told(answers, ask("mail.kingcdn.example", { type: 28 })),
    "8400 0001 0000 0000 0000 + 26",
  );
  // all records of a chain count as answers
  assertEquals(
    told(answers, ask("www.kingcdn.example")).slice(0, 14),
    "8400 0001 0002",
  );
});

Deno.test("PlainAnswers says NXDOMAIN to names that a zone has only because it is one, and to questions about the server", () => {
  const domains = [parseName("video.cs.example"), parseName("two.example")];
  const edges = [parseEdgeFlag("10.0.0.1")];
  const aliases = [parseAliasFlag("www.cs.example=video.cs.example")];
  const serverAddress = "10.0.0.53";
  const zones = zonesOfFlags({ domains, aliases, edges, serverAddress });
  const answers = new PlainAnswers(
    new Responder(new ZoneTable(zones), { rng: () => 0.5 }),
    namesBeside(domains, aliases),
  );
  for (const name of ["cs.example", "ns1.CS.example", "ns1.two.example"]) {
    for (const type of [1, 2, 6]) {
      const query = ask(name, { type });
      assertEquals(
        told(answers, query),
        `8403 0001 0000 0000 0000 + ${name.length + 6}`,
        name,
      );
    }
  }
  // class CH
  const version = ask("version.bind", { type: 16 }).map((byte, at) =>
    at === 12 + 14 + 3 ? 3 : byte
  );
  assertEquals(told(answers, version), "8403 0001 0000 0000 0000 + 18");
  for (const name of ["video.cs.example", "two.example", "www.cs.example"]) {
    const reply = answers.respond(ask(name), ASKER);
    assertEquals(reply?.answers, name.startsWith("www") ? 2 : 1);
  }
});

Deno.test("PlainAnswers answers what is no query as a server does, and never with more than the head", () => {
  const answers = plain();
  const query = ask(VIDEO);
  assertEquals(told(answers, query.subarray(0, 11)), "nothing");
  assertEquals(
    told(answers, new Uint8Array(12)),
    "8401 0000 0000 0000 0000 + 0",
  );
  for (const length of [12, 13, 20, 38]) {
    assertEquals(
      told(answers, query.subarray(0, length)),
      "8401 0000 0000 0000 0000 + 0",
    );
  }
  const two = encodeMessage({
    ...decodeMessage(query),
    questions: [0, 1].map(() => decodeMessage(query).questions[0]!),
  });
  assertEquals(told(answers, two), "8401 0000 0000 0000 0000 + 0");
  const anAnswer = query.slice();
  anAnswer[2] = 0x80;
  assertEquals(told(answers, anAnswer), "nothing");
  const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${
    "d".repeat(61)
  }`;
  assertEquals(
    told(answers, ask(longest)),
    "8403 0001 0000 0000 0000 + 259",
  );
});

Deno.test("PlainAnswers sends nothing beyond the rate limit, and TC to who slips", () => {
  const dropping = plain(0);
  assertEquals(told(dropping, ask(VIDEO)), "8400 0001 0001 0000 0000 + 43");
  assertEquals(told(dropping, ask(VIDEO)), "nothing");
  const slipping = plain(1);
  told(slipping, ask(VIDEO));
  assertEquals(told(slipping, ask(VIDEO)), "8600 0001 0000 0000 0000 + 27");
  const asker = {
    address: parseAddress("10.7.7.7"),
    transport: "tcp",
  } as const;
  const overTcp = slipping.respond(ask(VIDEO), asker);
  assertEquals(overTcp?.truncated, false);
});
