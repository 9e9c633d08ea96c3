import { assertEquals, assertMatch } from "@std/assert";
import {
  type CountingOrigin,
  countingOrigin,
  gate,
} from "../../support/counting_origin.ts";
import { BODY, inHalves, startEdge, statusesOf } from "../../support/edge.ts";
import { runProgram } from "../../support/program.ts";

async function textOf(url: string, init?: RequestInit): Promise<string> {
  return await (await fetch(url, init)).text();
}

/** Sends raw bytes, returns the head of the answer, or what came until the server closed; `silent` when neither happened in a minute. */
async function raw(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let answer = "";
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.close();
  }, 60_000);
  try {
    await connection.write(new TextEncoder().encode(text));
    const buffer = new Uint8Array(4096);
    while (!answer.includes("\r\n\r\n")) {
      const count = await connection.read(buffer);
      if (count === null) break;
      answer += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch { /* reset by the server: refused as well */ }
  clearTimeout(timer);
  if (!late) connection.close();
  return late ? "silent" : answer;
}

/** An origin that answers as the path says. */
function manyAnswers(): CountingOrigin {
  const etag = '"v1"';
  return countingOrigin(async (path, request) => {
    const { headers, method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return new Response(`${method} ${await request.text()}`, {
        headers: { location: "/fresh?other" },
      });
    }
    switch (path.split("?")[0]) {
      case "/stale": {
        // Old on arrival, and good again once asked for with its tag.
        const known = headers.get("if-none-match") === etag;
        return new Response(known ? null : "stale", {
          status: known ? 304 : 200,
          headers: {
            etag,
            "cache-control": "max-age=60",
            age: known ? "0" : "90",
            "x-checked": known ? "yes" : "no",
          },
        });
      }
      case "/vary":
        return new Response(`for ${headers.get("accept-language")}`, {
          headers: { vary: "Accept-Language", "cache-control": "max-age=60" },
        });
      case "/hop":
        return new Response("hop", {
          headers: {
            connection: "x-secret",
            "x-secret": "1",
            "cache-control": "max-age=60",
          },
        });
      case "/private":
        return new Response("mine", {
          headers: { "cache-control": "private" },
        });
      case "/digits": {
        const asked = headers.get("range") === "bytes=2-4";
        return new Response(asked ? "234" : "0123456789", {
          status: asked ? 206 : 200,
          headers: {
            etag,
            "cache-control": "max-age=60",
            ...(asked ? { "content-range": "bytes 2-4/10" } : {}),
          },
        });
      }
      case "/huge":
        return headers.get("range") === "bytes=2-4"
          ? new Response("234", {
            status: 206,
            headers: { "content-range": `bytes 2-4/${BODY.length}` },
          })
          : new Response(BODY, { headers: { "cache-control": "max-age=60" } });
      default:
        return new Response("fresh", {
          headers: { "cache-control": "max-age=60", etag },
        });
    }
  });
}

Deno.test("edge keeps RFC 9110 and 9111 towards clients and origin", async (t) => {
  await using origin = manyAnswers();
  const { program, url, port } = await startEdge([origin.url], [
    "--cache-size",
    "256KiB",
    "--name",
    "edge-1",
  ]);
  await using _edge = program;

  await t.step(
    "asks the origin by its name, says who asks, in plain coding",
    async () => {
      await textOf(`${url}/fresh?first`, {
        headers: {
          "x-forwarded-for": "192.0.2.9",
          connection: "x-hop",
          "x-hop": "1",
        },
      });
      const { headers } = origin.requests.at(-1)!;
      assertEquals(headers.get("host"), `127.0.0.1:${origin.port}`);
      assertEquals(headers.get("x-forwarded-for"), "192.0.2.9, 127.0.0.1");
      assertEquals(headers.get("accept-encoding"), "identity");
      assertEquals(headers.get("x-hop"), null);
      assertMatch(headers.get("via")!, /^1\.1 edge-1 \(rolecall-\S+\)$/);
    },
  );

  await t.step(
    "revalidates with the tag, and updates what it stored",
    async () => {
      assertEquals(await textOf(`${url}/stale`), "stale");
      const checked = await fetch(`${url}/stale`);
      assertEquals([checked.status, await checked.text()], [200, "stale"]);
      assertEquals(checked.headers.get("x-checked"), "yes");
      assertMatch(
        checked.headers.get("cache-status")!,
        /^edge-1; fwd=stale; fwd-status=304; stored; ttl=\d+; key="\/stale"$/,
      );
      const hit = await fetch(`${url}/stale`);
      assertMatch(hit.headers.get("cache-status")!, /^edge-1; hit; /);
      await hit.body!.cancel();
      assertEquals(origin.count("/stale"), 2);
    },
  );

  await t.step("keeps variants apart", async () => {
    for (const language of ["de", "en", "de", "en"]) {
      const init = { headers: { "accept-language": language } };
      assertEquals(await textOf(`${url}/vary`, init), `for ${language}`);
    }
    assertEquals(origin.count("/vary"), 2);
  });

  await t.step(
    "drops fields that Connection names, from answer and store",
    async () => {
      for (let n = 0; n < 2; n++) {
        const { headers, body } = await fetch(`${url}/hop`);
        assertEquals(headers.get("x-secret"), null);
        assertEquals(headers.get("via"), "1.1 edge-1");
        await body!.cancel();
      }
    },
  );

  await t.step("shares nothing that is private", async () => {
    for (let n = 0; n < 2; n++) await textOf(`${url}/private`);
    assertEquals(origin.count("/private"), 2);
  });

  await t.step(
    "answers ranges, conditions and HEAD from the full copy",
    async () => {
      const part = async (range: string, more: HeadersInit = {}) => {
        const answer = await fetch(`${url}/digits`, {
          headers: { range, ...more },
        });
        const contentRange = answer.headers.get("content-range");
        return [answer.status, contentRange, await answer.text()];
      };
      assertEquals(await part("bytes=2-4"), [206, "bytes 2-4/10", "234"]);
      assertEquals(await part("bytes=-3"), [206, "bytes 7-9/10", "789"]);
      assertEquals(await part("bytes=10-"), [416, "bytes */10", ""]);
      assertEquals(await part("bytes=1-1", { "if-range": '"v0"' }), [
        200,
        null,
        "0123456789",
      ]);
      const several = await fetch(`${url}/digits`, {
        headers: { range: "bytes=0-1, 8-" },
      });
      const type = several.headers.get("content-type")!;
      const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(type)![1];
      const found = (await several.text()).split(`--${boundary}`).map((text) =>
        /bytes (\S+)\r\n\r\n(\d+)\r\n$/.exec(text)?.slice(1).join(" ")
      );
      assertEquals(found.filter((text) => text !== undefined), [
        "0-1/10 01",
        "8-9/10 89",
      ]);
      const known = await fetch(`${url}/digits`, {
        headers: { "if-none-match": '"v1"' },
      });
      assertEquals([known.status, await known.text()], [304, ""]);
      const { headers, body } = await fetch(`${url}/digits`, {
        method: "HEAD",
      });
      assertEquals(headers.get("content-length"), "10");
      await body?.cancel();
      assertEquals(origin.count("/digits"), 1);
    },
  );

  await t.step(
    "streams what is too large to keep, forwards ranges of it",
    async () => {
      const whole = await fetch(`${url}/huge`);
      assertEquals(await whole.bytes(), BODY as Uint8Array<ArrayBuffer>);
      const part = await fetch(`${url}/huge`, {
        headers: { range: "bytes=2-4" },
      });
      assertEquals([part.status, await part.text()], [206, "234"]);
    },
  );

  await t.step(
    "forgets what an unsafe method changed, and its Location",
    async () => {
      for (const path of ["/fresh", "/fresh?other"]) await textOf(url + path);
      const answer = await textOf(`${url}/fresh`, {
        method: "PUT",
        body: "new",
      });
      assertEquals(answer, "PUT new");
      for (const path of ["/fresh", "/fresh?other"]) {
        await textOf(url + path);
        const gets = origin.requests.filter((one) =>
          one.path === path && one.method === "GET"
        );
        assertEquals(gets.length, 2, path);
      }
    },
  );

  await t.step(
    "answers 504 to only-if-cached, 508 to its own echo",
    async () => {
      const only = await fetch(`${url}/never`, {
        headers: { "cache-control": "only-if-cached" },
      });
      assertEquals(only.status, 504);
      await only.body!.cancel();
      const via = origin.requests.at(-1)!.headers.get("via")!;
      const loop = await fetch(`${url}/never`, { headers: { via } });
      assertEquals(loop.status, 508);
      await loop.body!.cancel();
      assertEquals(origin.count("/never"), 0);
    },
  );

  await t.step(
    "refuses malformed requests, asks nobody else, keeps serving",
    async () => {
      const before = origin.requests.length;
      const refused = [
        "GET /bad HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /bad HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "GET /bad HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n\r\n",
        "TRACE /bad HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /x/..//%2e%2e/fresh?t HTTP/1.1\r\nHost: x\r\n\r\n",
        "nonsense\r\n\r\n",
      ];
      for (const text of refused) {
        assertMatch(await raw(port, text), /^(HTTP\/1\.1 [45]\d\d |$)/, text);
      }
      assertEquals(origin.requests.length, before);
      const traversal = await raw(
        port,
        "GET /x/y/%2e%2e/../fresh?t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      );
      assertMatch(traversal, /^HTTP\/1\.1 200 /);
      assertEquals(origin.requests.at(-1)!.path.includes(".."), false);
      assertEquals(await textOf(`${url}/fresh?alive`), "fresh");
    },
  );
});

Deno.test("edge goes to the next origin, then to stale content, then says 502", async () => {
  const second = manyAnswers();
  // Nobody listens on a port that was just given back.
  const gone = countingOrigin(() => new Response());
  await gone[Symbol.asyncDispose]();
  const { program, url } = await startEdge([gone.url, second.url]);
  await using _edge = program;
  assertEquals(await textOf(`${url}/stale`), "stale");
  const failed = await program.until("upstream.failed");
  assertEquals([failed.origin, failed.code], [gone.url, "connect-failed"]);
  await second[Symbol.asyncDispose]();
  const stale = await fetch(`${url}/stale`);
  assertEquals([stale.status, await stale.text()], [200, "stale"]);
  assertMatch(stale.headers.get("cache-status")!, /detail=disconnected$/);
  const none = await fetch(`${url}/other`);
  assertEquals(none.status, 502);
  assertEquals((await none.text()).split("\n").length, 2);
  assertEquals((await program.stop()).code, 0);
});

Deno.test("edge says 504 when the origin does not answer, and cuts a body that stops", async () => {
  const never = gate();
  await using origin = countingOrigin(async (path) => {
    if (path === "/hung") await never.opened;
    return inHalves(never.opened, { "cache-control": "max-age=60" });
  });
  const { program, url } = await startEdge([origin.url], [
    "--origin-timeout",
    "300ms",
  ]);
  await using _edge = program;
  const hung = await fetch(`${url}/hung`);
  assertEquals(hung.status, 504);
  await hung.body!.cancel();
  const cut = await fetch(`${url}/cut`);
  assertEquals(await cut.bytes().then(() => "whole", () => "cut"), "cut");
  assertEquals((await program.until("edge.fetched")).complete, false);
  assertEquals(statusesOf(program, "/cut"), ["miss"]);
  never.open();
});

Deno.test("edge without an origin is bad usage", async () => {
  const { code, stderr } = await runProgram(["edge", "--port", "0"]);
  assertEquals(code, 2);
  assertEquals(stderr.trim().split("\n").length, 1);
});
