import { assert, assertEquals } from "@std/assert";
import { concat, utf8 } from "../../../lib/core/bytes.ts";
import { type Finished, runProgram } from "../../support/program.ts";

// What clients do with servers that lie, stall, drip or never end: one clear line, the right exit code, in bounded time.

const HOST = "127.0.0.1";

/** Speaks on one connection; the connection is closed when it returns. */
type Manners = (
  say: (text: string | Uint8Array) => Promise<void>,
  clientLeft: Promise<void>,
) => Promise<void> | void;

/** A server of bad manners; disposing of it waits until it has said its last. */
function rudeServer(manners: Manners): AsyncDisposable & { url: string } {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const talks = new Set<Promise<void>>();
  const talk = async (stream: Deno.TcpConn) => {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const buffer = new Uint8Array(4096);
    let speaking: Promise<void> | undefined;
    try {
      for (;;) {
        if (await stream.read(buffer) === null) break;
        speaking ??= speak(stream, manners, left);
      }
    } catch { /* The client has reset, or we have closed. */ }
    leave();
    await speaking;
    close(stream);
  };
  const accepting = (async () => {
    for await (const stream of listener) {
      const one = talk(stream).finally(() => talks.delete(one));
      talks.add(one);
    }
  })();
  return {
    url: `http://${HOST}:${listener.addr.port}/announce`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(talks);
    },
  };
}

async function speak(
  stream: Deno.TcpConn,
  manners: Manners,
  left: Promise<void>,
): Promise<void> {
  try {
    await manners(async (what) => {
      const bytes = typeof what === "string" ? utf8(what) : what;
      for (let at = 0; at < bytes.length;) {
        at += await stream.write(bytes.subarray(at));
      }
    }, left);
  } catch { /* The client has gone. */ }
  close(stream);
}

function close(stream: Deno.TcpConn): void {
  try {
    stream.close();
  } catch { /* Closed already. */ }
}

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));
const HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
const whole = (text: string): Manners => (say) =>
  say(`${HEAD}Content-Length: ${utf8(text).length}\r\n\r\n${text}`);
const redirect = (location: string): Manners => (say) =>
  say(
    `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );

/** Whatever is asked for: nothing but bad answers. */
const RUDE: Readonly<Record<string, Manners>> = {
  "says nothing": (_, left) => left,
  "stalls in the head": async (say, left) => {
    await say("HTTP/1.1 200 O");
    await left;
  },
  "never ends its head": async (say) => {
    await say("HTTP/1.1 200 OK\r\n");
    for (;;) {
      await say("X-More: yes\r\n");
      await pause(5);
    }
  },
  "stalls in the body": async (say, left) => {
    await say(`${HEAD}Content-Length: 1000\r\n\r\n<MPD`);
    await left;
  },
  "drips for ever": async (say) => {
    await say(`${HEAD}\r\n`);
    for (;;) {
      await say(" ");
      await pause(5);
    }
  },
  "never ends": async (say) => {
    await say(`${HEAD}\r\n`);
    for (;;) await say(" ".repeat(65_536));
  },
  "never ends, in pieces of a byte": async (say) => {
    await say(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (;;) await say("1\r\n \r\n".repeat(500));
  },
  "promises more than it sends": (say) =>
    say(`${HEAD}Content-Length: 99999999999\r\n\r\nd5:filesde`),
  "sends garbage": (say) => say(new Uint8Array(3000).fill(0xff)),
  "has a head of a megabyte": (say) =>
    say(`${HEAD}X-Long: ${"x".repeat(2 ** 20)}\r\n\r\n`),
  "redirects to itself": redirect("/announce"),
  "redirects to no URL": redirect("http://[bad"),
  "redirects to a file": redirect("file:///etc/hosts"),
  "says 500": (say) => say("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
  "sends a gigabyte's head only": (say) =>
    say(concat(utf8(`${HEAD}Content-Length: 1073741824\r\n\r\n`))),
};

/** Runs a client; it must fail as it should: by itself, with one line, and no trace. */
async function failsWell(
  args: readonly string[],
  code: number,
  what: string,
): Promise<Finished> {
  const finished = await runProgram(args);
  assertEquals(finished.code, code, `${what}: ${finished.stderr}`);
  const last = finished.stderr.trimEnd().split("\n").at(-1) ?? "";
  assert(last.startsWith("rolecall: "), `${what}: ${finished.stderr}`);
  assert(!finished.stderr.includes("\n    at "), what);
  return finished;
}

for (const [what, manners] of Object.entries(RUDE)) {
  Deno.test(`dash-client and tracker --query give up a server that ${what}`, async () => {
    await using server = rudeServer(manners);
    // 30 timeouts are the most for a resource that goes on and on.
    const fetching = ["dash-client", server.url, "--timeout", "20ms"];
    const asking = ["tracker", "--query", server.url, "--timeout", "100ms"];
    await Promise.all([
      failsWell(fetching, 1, "dash-client"),
      failsWell(asking, 1, "tracker"),
    ]);
  });
}

const MANIFESTS: Readonly<Record<string, string>> = {
  "with entities in entities":
    '<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><MPD>&b;</MPD>',
  "that fills in a megabyte 200 times":
    `<MPD mediaPresentationDuration="PT9S"><Period><AdaptationSet><Representation bandwidth="1" id="${
      "i".repeat(2 ** 20)
    }"><SegmentTemplate duration="1" media="${
      "$RepresentationID$".repeat(200)
    }"/></Representation></AdaptationSet></Period></MPD>`,
  "that names local files":
    '<MPD mediaPresentationDuration="PT9S"><Period><AdaptationSet><Representation bandwidth="1"><SegmentTemplate duration="1" media="file:///etc/hosts"/></Representation></AdaptationSet></Period></MPD>',
  "that is nested 100,000 deep": "<MPD>".repeat(100_000),
  "of no bytes": "",
};

for (const [what, manifest] of Object.entries(MANIFESTS)) {
  Deno.test(`dash-client refuses a manifest ${what}`, async () => {
    await using server = rudeServer(whole(manifest));
    await failsWell(["dash-client", server.url], 2, what);
  });
}

Deno.test("dash-client gives up segments that redirect to no URL", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using segments = rudeServer(redirect("http://[bad"));
  await using server = rudeServer(async (say) =>
    await whole(await promise)(say, Promise.resolve())
  );
  resolve(
    `<MPD mediaPresentationDuration="PT2S"><Period><AdaptationSet><Representation bandwidth="1"><SegmentTemplate duration="1" media="${segments.url}"/></Representation></AdaptationSet></Period></MPD>`,
  );
  const playing = ["dash-client", server.url, "--give-up-after", "1ms"];
  await failsWell(playing, 1, "segments");
});

Deno.test("dns-redirector --query gives up a server that answers nonsense", async () => {
  const answers: readonly ((query: Uint8Array) => Uint8Array)[] = [
    () => new Uint8Array(0),
    () => new Uint8Array(65_507).fill(0xc0),
    (query) => query, // The question itself.
    (query) => { // Another id, as a forger guesses.
      const answer = query.slice();
      answer[0]! ^= 0xff;
      answer[2]! |= 0x80;
      return answer;
    },
    (query) => { // A name that points at itself.
      const answer = concat(
        query.subarray(0, 12),
        Uint8Array.of(0xc0, 12, 0, 1, 0, 1),
      );
      answer[2]! |= 0x80;
      return answer;
    },
  ];
  const address = { transport: "udp", hostname: HOST, port: 0 } as const;
  const socket = Deno.listenDatagram(address);
  const answering = (async () => {
    for await (const [query, from] of socket) {
      for (const answer of answers) await socket.send(answer(query), from);
    }
  })();
  const resolver = `${HOST}:${(socket.addr as Deno.NetAddr).port}`;
  try {
    const args = ["--query", "x.example", "--at", resolver];
    await failsWell(
      ["dns-redirector", ...args, "--timeout", "100ms"],
      1,
      "dns-redirector",
    );
  } finally {
    socket.close();
    await answering;
  }
});
