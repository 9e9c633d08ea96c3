import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin, gate } from "../../support/counting_origin.ts";
import {
  BODY,
  inHalves,
  readRest,
  startEdge,
  statusesOf,
} from "../../support/edge.ts";

for (const length of [true, false]) {
  Deno.test(`edge fetches once for 200 clients, who read while it fills, some a range of it, Content-Length ${length}`, async () => {
    const rest = gate();
    await using origin = countingOrigin(() =>
      inHalves(rest.opened, {
        "cache-control": "max-age=60",
        ...(length ? { "content-length": String(BODY.length) } : {}),
      })
    );
    const { program, url } = await startEdge([origin.url]);
    await using _edge = program;
    const clients = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const asked = n % 10 === 5 ? { range: "bytes=1000-9999" } : undefined;
        const response = await fetch(
          `${url}/movie`,
          asked === undefined ? {} : { headers: asked },
        );
        // Of a body whose length nobody knows yet, all is sent.
        const isPart = response.status === 206;
        assertEquals(isPart, asked !== undefined && length);
        const reader = response.body!.getReader();
        const body = isPart ? BODY.subarray(1000, 10_000) : BODY;
        return { reader, first: (await reader.read()).value!, body };
      }),
    );
    // All 200 have bytes in hand, and the origin has not sent the second half.
    const half = BODY.length / 2;
    assert(clients.every(({ first }) => first.length <= half));
    // The first to come leaves, another never reads on: both are nobody else's matter.
    await clients[0]!.reader.cancel();
    rest.open();
    await Promise.all(
      clients.slice(2).map(({ reader, first, body }) =>
        readRest(reader, first, body)
      ),
    );
    await clients[1]!.reader.cancel();
    const again = await fetch(`${url}/movie`);
    assertEquals(await again.bytes(), BODY as Uint8Array<ArrayBuffer>);
    assertMatch(
      again.headers.get("cache-status")!,
      /; hit; ttl=\d+; key="\/movie"$/,
    );
    assertMatch(again.headers.get("age")!, /^\d+$/);
    assertEquals(origin.count("/movie"), 1);
    const fetched = await program.until("edge.fetched");
    assertEquals(
      [fetched.stored, fetched.complete, fetched.bytes],
      [true, true, BODY.length],
    );
    // The one who never read on is told when its connection is found closed.
    await program.until(
      "edge.answered",
      () => statusesOf(program, "/movie").length === 201,
    );
    const statuses = statusesOf(program, "/movie");
    assertEquals(statuses.filter((one) => one === "miss").length, 1);
    assertEquals(statuses.filter((one) => one === "collapsed").length, 199);
  });
}

Deno.test("edge finishes a fill although its only client has left", async () => {
  const more = gate();
  const rest = gate();
  await using origin = countingOrigin(() => {
    const half = BODY.length / 2;
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(BODY.subarray(0, half));
        await more.opened;
        controller.enqueue(BODY.subarray(half, half + 1));
        await rest.opened;
        controller.enqueue(BODY.subarray(half + 1));
        controller.close();
      },
    });
    return new Response(body, { headers: { "cache-control": "max-age=60" } });
  });
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  // One byte is read of what has come: who closes then resets the connection. The next write finds that out.
  const { hostname, port, host } = new URL(url);
  const client = await Deno.connect({ hostname, port: Number(port) });
  await client.write(
    new TextEncoder().encode(`GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  );
  await client.read(new Uint8Array(1));
  client.close();
  more.open();
  await program.until("edge.answered", (e) => !e.complete);
  rest.open();
  assertEquals((await program.until("edge.fetched")).complete, true);
  assertEquals((await (await fetch(`${url}/a`)).bytes()).length, BODY.length);
  assertEquals(origin.count("/a"), 1);
});

Deno.test("edge that is told to stop finishes the answer it is giving", async () => {
  const rest = gate();
  await using origin = countingOrigin(() =>
    inHalves(rest.opened, { "cache-control": "max-age=60" })
  );
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  const reader = (await fetch(`${url}/a`)).body!.getReader();
  let bytes = (await reader.read()).value!.length;
  const stopped = program.stop();
  await program.until("role.stopping");
  rest.open();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
  }
  assertEquals(bytes, BODY.length);
  assertEquals((await stopped).code, 0);
});
