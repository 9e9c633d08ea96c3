/**
 * Lesson 6, DNS redirection: the name server of a content distribution network, which sends each client to an edge.
 *
 *     ROLECALL_TARGET=127.0.0.1:5300 ROLECALL_EDGES=10.0.0.3,10.0.0.4 deno test -A tests/grading/06_dns_test.ts
 *
 * `ROLECALL_EDGES` are the addresses of the edges, `ROLECALL_NAME` is the name that leads to them, video.kingcdn.example
 * unless given. `udp://HOST:PORT` leaves TCP out.
 */
import { assert, assertEquals } from "@std/assert";
import {
  askOverTcp,
  askOverUdp,
  type Message,
  RCODE,
  TYPE,
  UdpClient,
  withLength,
  writeQuery,
} from "./_dns.ts";
import {
  givenTarget,
  graded,
  isMeant,
  type Target,
  target,
} from "./_target.ts";

const NAME = Deno.env.get("ROLECALL_NAME") || "video.kingcdn.example";
const ourEdges = givenTarget() === undefined ? "127.0.0.3,127.0.0.4" : "";
const EDGES = (Deno.env.get("ROLECALL_EDGES") || ourEdges).split(",")
  .map((edge) => edge.trim()).filter((edge) => edge !== "");

/** Longest time to keep an answer that still lets a client be moved to another edge. */
const MAX_TTL_SECONDS = 300;

/** How long to listen for an answer that should not come. */
const SILENCE_MS = 2000;

function point(
  name: string,
  run: (server: Target) => Promise<void>,
  options: { readonly extra?: boolean; readonly ignore?: boolean } = {},
): void {
  graded(name, async () => {
    if (EDGES.length === 0) {
      throw new Error(
        "ROLECALL_EDGES must be the edges' addresses, such as 10.0.0.3,10.0.0.4",
      );
    }
    await using server = await target([
      ...["dns-redirector", "--domain", NAME],
      ...EDGES.flatMap((edge) => ["--edge", edge]),
    ]);
    await run(server);
  }, options);
}

/** The edge that an answer leads to; how many it names, and what else it says, has points of its own. */
function edgeIn({ rcode, answers }: Message): string {
  assertEquals(rcode, RCODE.NOERROR, `RCODE ${rcode}`);
  const address = answers.find(({ type }) => type === TYPE.A);
  assert(address !== undefined, "no A record");
  const edge = address.data.join(".");
  assert(EDGES.includes(edge), `${edge} is not one of ${EDGES.join(", ")}`);
  return edge;
}

/** Whether the server still answers. */
async function assertServes(server: Target): Promise<void> {
  edgeIn(await askOverUdp(server, { id: 0x5757, name: NAME }));
}

point("the answer has the id of the question", async (server) => {
  for (const id of [0x1234, 0, 0xffff, 0x00ff]) {
    assertEquals((await askOverUdp(server, { id, name: NAME })).id, id);
  }
});

point("QR is set, and the answer is whole", async (server) => {
  const answer = await askOverUdp(server, { id: 1, name: NAME });
  assert(answer.isAnswer, "QR is not set");
  assertEquals(answer.opcode, 0, `opcode ${answer.opcode}`);
  assert(!answer.isTruncated, "TC is set");
});

point("AA is set: the server answers for its own zone", async (server) => {
  const answer = await askOverUdp(server, { id: 2, name: NAME });
  assert(answer.isAuthoritative, "AA is not set");
});

point("RCODE is 0", async (server) => {
  assertEquals((await askOverUdp(server, { id: 3, name: NAME })).rcode, 0);
});

point("the question is repeated in the answer", async (server) => {
  const { questions } = await askOverUdp(server, { id: 4, name: NAME });
  assertEquals(
    questions.map(({ name, ...rest }) => ({
      name: name.toLowerCase(),
      ...rest,
    })),
    [{ name: NAME.toLowerCase(), type: TYPE.A, class: 1 }],
  );
});

point(
  "there is exactly one A record, of class IN, with four bytes",
  async (server) => {
    const { answers } = await askOverUdp(server, { id: 5, name: NAME });
    // An alias may come before it.
    const records = answers.filter(({ type }) => type !== TYPE.CNAME);
    assertEquals(
      records.map((record) => [record.type, record.class, record.data.length]),
      [[TYPE.A, 1, 4]],
    );
    assertEquals(answers[0]!.name.toLowerCase(), NAME.toLowerCase());
  },
);

point("the address is that of an edge", async (server) => {
  edgeIn(await askOverUdp(server, { id: 6, name: NAME }));
});

point(
  `the TTL is at most ${MAX_TTL_SECONDS} s, so that clients can be moved`,
  async (server) => {
    const { answers } = await askOverUdp(server, { id: 7, name: NAME });
    const address = answers.find(({ type }) => type === TYPE.A);
    assert(address !== undefined, "no A record");
    assert(
      address.ttlSeconds <= MAX_TTL_SECONDS,
      `TTL ${address.ttlSeconds} s`,
    );
  },
);

point("other names get NXDOMAIN or REFUSED, not silence", async (server) => {
  const parent = NAME.split(".").slice(1).join(".");
  const others = [`no-such.${NAME}`, `no-such.${parent}`, "www.other.example"];
  for (const name of others) {
    const { rcode, answers } = await askOverUdp(server, { id: 8, name });
    assert(
      rcode === RCODE.NXDOMAIN || rcode === RCODE.REFUSED,
      `RCODE ${rcode} for ${name}`,
    );
    assertEquals(answers.length, 0, `answers for ${name}`);
  }
});

point(
  "AAAA of the name: no error and no record, since there are only A (NODATA)",
  async (server) => {
    const query = { id: 9, name: NAME, type: TYPE.AAAA };
    const { rcode, answers } = await askOverUdp(server, query);
    assertEquals(rcode, RCODE.NOERROR, `RCODE ${rcode}`);
    assertEquals(answers.filter(({ type }) => type !== TYPE.CNAME).length, 0);
  },
);

point("capitals and small letters are alike in names", async (server) => {
  for (const name of [NAME.toUpperCase(), mixed(NAME)]) {
    edgeIn(await askOverUdp(server, { id: 10, name }));
  }
});

point(
  "the question is repeated with its capitals and small letters (0x20)",
  async (server) => {
    const name = mixed(NAME);
    const { questions } = await askOverUdp(server, { id: 11, name });
    assertEquals(questions[0]?.name, name);
  },
  { extra: true },
);

point(
  "several questions of one client are answered in turn",
  async (server) => {
    using client = new UdpClient(server);
    for (const id of [100, 101, 102, 103, 104]) {
      const answer = await client.ask({ id, name: NAME });
      assertEquals(answer.id, id);
      edgeIn(answer);
    }
  },
);

point(
  "two clients at once: each gets the answer to its own question",
  async (server) => {
    using first = new UdpClient(server);
    using second = new UdpClient(server);
    await first.send(writeQuery({ id: 201, name: NAME }));
    await second.send(writeQuery({ id: 202, name: NAME }));
    const answers = [await second.receive(), await first.receive()];
    assertEquals(answers.map(({ id }) => id), [202, 201]);
    answers.forEach(edgeIn);
  },
);

point(
  "an answer (QR set) is not answered: two servers would never stop",
  async (server) => {
    using client = new UdpClient(server);
    await client.send(writeQuery({ id: 301, name: NAME, isAnswer: true }));
    edgeIn(await client.ask({ id: 302, name: NAME }));
    const more = await client.receive(SILENCE_MS).catch(() => undefined);
    assertEquals(more, undefined, "it was");
  },
);

point(
  "more than one edge is used in 40 questions for different networks",
  async (server) => {
    const edges = new Set<string>();
    for (let at = 0; at < 40; at++) {
      const query = { id: 400 + at, name: NAME };
      // Networks far apart and side by side.
      const subnet = [1 + (at * 37) % 223, (at * 101) % 256, at] as const;
      const answer = await askOverUdp(server, { ...query, subnet });
      const isUnknown = answer.rcode === RCODE.FORMERR ||
        answer.rcode === RCODE.NOTIMP;
      edges.add(edgeIn(isUnknown ? await askOverUdp(server, query) : answer));
    }
    assert(edges.size > 1, `always ${[...edges].join()}`);
  },
  { extra: true, ignore: EDGES.length === 1 },
);

point(
  "a question with EDNS gets an OPT record back, or FORMERR",
  async (server) => {
    const query = { id: 500, name: NAME, edns: true };
    const { rcode, additionals } = await askOverUdp(server, query);
    if (rcode === RCODE.FORMERR) return;
    assertEquals(additionals.filter(({ type }) => type === TYPE.OPT).length, 1);
  },
  { extra: true },
);

point("an operation that is no query gets NOTIMP", async (server) => {
  const query = { id: 501, name: NAME, opcode: 2 };
  assertEquals((await askOverUdp(server, query)).rcode, RCODE.NOTIMP);
}, { extra: true });

function tcp(name: string, run: (server: Target) => Promise<void>): void {
  const options = { extra: true, ignore: !isMeant("tcp") };
  point(`tcp: ${name}`, run, options);
}

tcp("the answer is the same as over UDP", async (server) => {
  const query = withLength(writeQuery({ id: 600, name: NAME }));
  const [answer] = await askOverTcp(server, [query], 1);
  assertEquals(answer!.id, 600);
  edgeIn(answer!);
});

tcp("two questions in one connection, each answered", async (server) => {
  const queries = [601, 602].map((id) =>
    withLength(writeQuery({ id, name: NAME }))
  );
  const answers = await askOverTcp(server, queries, 2);
  assertEquals(answers.map(({ id }) => id).toSorted(), [601, 602]);
  answers.forEach(edgeIn);
});

tcp("a question that comes byte by byte is one question", async (server) => {
  const query = withLength(writeQuery({ id: 603, name: NAME }));
  const bytes = [...query].map((byte) => Uint8Array.of(byte));
  const [answer] = await askOverTcp(server, bytes, 1);
  assertEquals(answer!.id, 603);
  edgeIn(answer!);
});

// Last, since they end a server that is not careful.
point("a question cut at any byte does not end the server", async (server) => {
  const whole = writeQuery({ id: 700, name: NAME });
  using client = new UdpClient(server);
  for (let end = 0; end < whole.length; end++) {
    await client.send(whole.subarray(0, end));
  }
  await assertServes(server);
});

point(
  "a name that points at itself does not end the server",
  async (server) => {
    const whole = writeQuery({ id: 701, name: NAME });
    whole.set([0xc0, 12], 12);
    using client = new UdpClient(server);
    await client.send(whole);
    await assertServes(server);
  },
  { extra: true },
);

/** With every other letter as a capital. */
function mixed(name: string): string {
  return [...name].map((letter, at) =>
    at % 2 === 0 ? letter.toUpperCase() : letter.toLowerCase()
  ).join("");
}
