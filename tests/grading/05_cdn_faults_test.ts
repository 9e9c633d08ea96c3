/**
 * Lesson 5, content distribution, second part: crowds, clients that leave, origins that fail, and clients that mean no
 * good. How it is run stands in 05_cdn_test.ts.
 */
import { assert, assertEquals } from "@std/assert";
import { type Cdn, cdn, counted, FRESH, pause } from "./_cdn.ts";
import { ask, connect, converse, requestOf, writeAll } from "./_http.ts";
import { ScriptedOrigin } from "./_scripted_origin.ts";

const extra = { extra: true };
/** Until a request that was written has surely been read, also on a busy machine. */
const SETTLE_MS = 700;
const CROWD = 50;

/** Fails unless the proxy is still there. */
async function assertServes(cdn: Cdn): Promise<void> {
  assertEquals((await cdn.ask(cdn.path({ body: "there" }))).text, "there");
}

/** Asks until the proxy answers 200 again, as an origin that comes back may be left alone for a while. */
async function untilServed(cdn: Cdn): Promise<void> {
  const end = performance.now() + 8000;
  for (;;) {
    const path = cdn.path({ body: "back" });
    const status = await cdn.ask(path).then(
      (answer) => answer.text === "back" ? answer.status : 0,
      () => 0,
    );
    if (status === 200) return;
    assert(performance.now() < end, "the proxy does not serve any more");
    await pause(250);
  }
}

cdn(
  "many: a client whose answer takes long does not hold up another",
  async (cdn) => {
    const slow = cdn.gate();
    const path = cdn.path({ body: "slow", halfway: slow.promise });
    const first = cdn.ask(path);
    assertEquals((await cdn.ask(cdn.path({ body: "quick" }))).text, "quick");
    slow.resolve();
    assertEquals((await first).text, "slow");
  },
);

cdn(
  "many: a client that says nothing does not hold up another",
  async (cdn) => {
    using _silent = await connect(cdn.url);
    assertEquals((await cdn.ask(cdn.path({ body: "quick" }))).text, "quick");
  },
);

cdn("many: 20 clients of 20 objects each get their own", async (cdn) => {
  const paths = Array.from(
    { length: 20 },
    (_, index) => cdn.path({ fields: FRESH, body: `object ${index}` }),
  );
  for (let times = 0; times < 2; times++) {
    const answers = await Promise.all(paths.map((path) => cdn.ask(path)));
    assertEquals(
      answers.map(({ text }) => text),
      paths.map((_, index) => `object ${index}`),
    );
  }
});

cdn(
  `many: ${CROWD} clients of one object that is not kept yet are one fetch`,
  async (cdn) => {
    const gate = cdn.gate();
    const path = cdn.path(async () => {
      await gate.promise;
      return { fields: FRESH, body: "one for all" };
    });
    const answers = Array.from({ length: CROWD }, () => cdn.ask(path));
    await pause(SETTLE_MS);
    gate.resolve();
    const texts = new Set((await Promise.all(answers)).map(({ text }) => text));
    assertEquals([...texts], ["one for all"]);
    assertEquals(cdn.fetches(path), 1);
  },
  extra,
);

cdn(
  "many: a client that leaves in the middle does not stop the others",
  async (cdn) => {
    const gate = cdn.gate();
    const body = "0123456789".repeat(20_000);
    const path = cdn.path({ fields: FRESH, body, halfway: gate.promise });
    const url = new URL(path, cdn.url);
    const leaver = await connect(url);
    await writeAll(leaver, requestOf(url, {}));
    await pause(SETTLE_MS);
    const stays = cdn.ask(path);
    await pause(SETTLE_MS);
    leaver.close();
    await pause(SETTLE_MS);
    gate.resolve();
    assert((await stays).text === body, "the other client has the whole body");
    assert((await cdn.ask(path)).text === body, "and so has the next");
  },
  extra,
);

cdn(
  "many: while a stale answer is renewed it may be served (stale-while-revalidate)",
  async (cdn) => {
    const gate = cdn.gate();
    const rule = "max-age=1, stale-while-revalidate=60";
    const path = cdn.path(async (_, nth) => {
      if (nth > 1) await gate.promise;
      return { fields: { "Cache-Control": rule }, body: `answer ${nth}` };
    });
    await cdn.ask(path);
    await pause(2200);
    const answer = await Promise.race([
      cdn.ask(path),
      pause(3000).then(() => ({ text: "nothing for 3 s" })),
    ]);
    gate.resolve();
    assertEquals(answer.text, "answer 1");
    const end = performance.now() + 3000;
    while ((await cdn.ask(path)).text === "answer 1") {
      assert(performance.now() < end, "the new answer comes in the end");
      await pause(100);
    }
  },
  extra,
);

/** A server nobody may be led to; runs `lure` with its address, as the proxy's machine has it, and says whether somebody came. */
async function trapped(
  cdn: Cdn,
  lure: (host: string) => Promise<void>,
): Promise<boolean> {
  const probe = await connect(cdn.url);
  const { hostname } = probe.localAddr as Deno.NetAddr;
  probe.close();
  const trap = new ScriptedOrigin([hostname], 0);
  try {
    await lure(
      `${hostname.includes(":") ? `[${hostname}]` : hostname}:${trap.port}`,
    );
    await pause(300);
    await assertServes(cdn);
    return trap.asked.length > 0;
  } finally {
    trap.close();
  }
}

cdn(
  "hostile: it does not lead to other hosts, asked with a whole URL",
  async (cdn) => {
    const came = await trapped(cdn, async (host) => {
      const target = `http://${host}/secret`;
      await ask(cdn.url, { target, fields: { Host: host } }).catch(() => null);
      await ask(cdn.url, { target }).catch(() => null);
    });
    assert(!came, "a server that is not its origin was asked");
  },
);

cdn(
  "hostile: it does not lead to other hosts, asked with Host",
  async (cdn) => {
    const came = await trapped(cdn, async (host) => {
      const path = cdn.path({ body: "ok" });
      await cdn.ask(path, { fields: { Host: host } }).catch(() => null);
    });
    assert(!came, "a server that is not its origin was asked");
  },
);

cdn("hostile: it makes no tunnels (CONNECT)", async (cdn) => {
  const came = await trapped(cdn, async (host) => {
    using connection = await connect(cdn.url);
    const head = `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    await writeAll(connection, new TextEncoder().encode(head));
    await pause(300);
    const inner = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    await writeAll(connection, new TextEncoder().encode(inner)).catch(() => {});
    await pause(300);
  });
  assert(!came, "a server that is not its origin was asked");
});

/** Sends a request in which a second one is hidden, and fails if the origin was asked for that, or cannot tell where the first ends. */
async function smuggle(
  cdn: Cdn,
  build: (outer: string, hidden: string) => string,
): Promise<void> {
  const outer = cdn.path({ body: "outer" });
  const hidden = cdn.path({ body: "hidden" });
  await Promise.race([
    converse(cdn.url, build(outer, hidden), "POST").catch(() => null),
    pause(1500),
  ]);
  await pause(300);
  assertEquals(cdn.fetches(hidden), 0, "the hidden request was asked");
  for (const { fields } of cdn.origin.askedFor(outer)) {
    const length = fields.get("content-length");
    const both = length !== null && fields.has("transfer-encoding");
    assert(!both && !length?.includes(","), "the origin got two lengths");
    for (const [name, value] of fields) {
      assert(!value.includes("\\n"), `a line end within ${name}`);
    }
  }
  await assertServes(cdn);
}

cdn(
  "hostile: Content-Length beside Transfer-Encoding hides no request",
  async (cdn) => {
    await smuggle(cdn, (outer, hidden) => {
      const inner = `GET ${hidden} HTTP/1.1\r\nHost: ${cdn.url.host}\r\n\r\n`;
      const body = `0\r\n\r\n${inner}`;
      return `POST ${outer} HTTP/1.1\r\nHost: ${cdn.url.host}\r\nContent-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
    });
  },
  extra,
);

cdn("hostile: two different Content-Lengths hide no request", async (cdn) => {
  await smuggle(cdn, (outer, hidden) => {
    const inner = `GET ${hidden} HTTP/1.1\r\nHost: ${cdn.url.host}\r\n\r\n`;
    return `POST ${outer} HTTP/1.1\r\nHost: ${cdn.url.host}\r\nContent-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
  });
}, extra);

cdn("hostile: a bare line feed in a field goes no further", async (cdn) => {
  await smuggle(
    cdn,
    (outer) =>
      `GET ${outer} HTTP/1.1\r\nHost: ${cdn.url.host}\r\nX-One: 1\nX-Two: 2\r\nConnection: close\r\n\r\n`,
  );
}, extra);

cdn(
  "faults: an answer that breaks off is not given out as a whole one, nor kept",
  async (cdn) => {
    const body = "0123456789".repeat(1000);
    const path = cdn.path((_, nth) => ({
      ...{ fields: FRESH, body },
      ...(nth === 1 ? { breaks: "within" as const } : {}),
    }));
    const first = await cdn.ask(path).catch(() => null);
    const isWhole = first?.status === 200 && first.text !== body;
    assert(!isWhole, "half an answer was given out as a whole one");
    await untilServed(cdn);
    assert(
      (await cdn.ask(path)).text === body,
      "the next client gets the whole",
    );
  },
  extra,
);

cdn(
  "faults: an origin that closes without an answer is 502, 503 or 504, and the proxy goes on",
  async (cdn) => {
    const { status } = await cdn.ask(cdn.path({ breaks: "before" }));
    assert([502, 503, 504].includes(status), `status ${status}`);
    await untilServed(cdn);
  },
);

cdn(
  "faults: an origin that is not there is 502, 503 or 504; what was kept is served, and the proxy goes on",
  async (cdn) => {
    const kept = cdn.path(counted(FRESH));
    await cdn.ask(kept);
    cdn.origin.close();
    try {
      const { status } = await cdn.ask(cdn.path({ body: "never" }));
      assert([502, 503, 504].includes(status), `status ${status}`);
      assertEquals((await cdn.ask(kept)).text, "answer 1");
    } finally {
      cdn.origin.open();
    }
    await untilServed(cdn);
  },
  { limitMs: 20_000 },
);

// Last, since they end a proxy that is not careful.
for (
  const [what, request] of [
    ["no request at all", "what?\r\n\r\n"],
    ["a request without a path", "GET\r\n\r\n"],
    ["zeros", "\0\0\0\0\r\n\r\n"],
  ] as const
) {
  cdn(`hostile: ${what} does not end the proxy`, async (cdn) => {
    // Any answer will do, and none.
    await Promise.race([
      converse(cdn.url, request).catch(() => null),
      pause(1000),
    ]);
    await assertServes(cdn);
  });
}
