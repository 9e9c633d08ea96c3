import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  portOf,
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const NAME = "video.netcinema.example";

/** The lecture's authorities, each at an address of its own: the root with the top-level domain, the site, the CDN. */
const ZONES: readonly (readonly [string, readonly string[]])[] = [
  ["127.0.1.1", [
    "$ORIGIN .",
    "@ 300 SOA a.root. h. 1 1d 2h 4w 60",
    "@ 300 NS a.root.",
    "a.root. 300 A 127.0.1.1",
    "netcinema.example. 300 NS ns.netcinema.example.",
    "ns.netcinema.example. 300 A 127.0.1.3",
    "kingcdn.example. 300 NS ns.kingcdn.example.",
    "ns.kingcdn.example. 300 A 127.0.1.4",
    "gone.example. 300 NS ns.gone.example.",
    "ns.gone.example. 300 A 127.0.1.9",
  ]],
  ["127.0.1.3", [
    "$ORIGIN netcinema.example.",
    "@ 300 SOA ns h 1 1d 2h 4w 60",
    "@ 300 NS ns",
    "ns 300 A 127.0.1.3",
    "video 300 CNAME video.kingcdn.example.",
    `big 300 TXT ${Array(9).fill(`"${"x".repeat(200)}"`).join(" ")}`,
  ]],
  ["127.0.1.4", [
    "$ORIGIN kingcdn.example.",
    "@ 300 SOA ns h 1 1d 2h 4w 60",
    "@ 300 NS ns",
    "ns 300 A 127.0.1.4",
    "video 20 A 127.0.0.3",
    "video 20 A 127.0.0.4",
  ]],
];

/** All authorities and the resolver in front of them. */
async function startWorld(open: AsyncDisposableStack) {
  const folder = open.use(await temporaryFolder());
  let port = "0";
  const authorities: StartedProgram[] = [];
  for (const [host, lines] of ZONES) {
    const path = `${folder.path}/${host}.zone`;
    await Deno.writeTextFile(path, lines.join("\n") + "\n");
    const server = open.use(
      await startProgram([
        "dns-redirector",
        ...["--host", host, "--port", port, "--zone", path, "--policy", "geo"],
        ...(host === "127.0.1.4"
          ? [
            ...["--site", "127.1.0.0/16=127.0.0.3"],
            ...["--site", "127.2.0.0/16=127.0.0.4"],
          ]
          : []),
      ]),
    );
    authorities.push(server);
    port = `${await portOf(server, "tcp")}`;
  }
  const resolver = open.use(
    await startProgram([
      "dns-redirector",
      ...["--recursive", "--host", "127.0.0.1", "--port", "0"],
      ...["--root-hint", `a.root=127.0.1.1:${port}`],
    ]),
  );
  const at = `127.0.0.1:${await portOf(resolver, "tcp")}`;
  return { resolver, authorities, at, root: `127.0.1.1:${port}` };
}

async function lookup(at: string, ...args: string[]) {
  const { code, stdout, stderr } = await runProgram([
    ...["dns-redirector", "--at", at, "--json", "--timeout", "9s", ...args],
  ]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("dns-redirector --recursive finds a name from the root on, once, for clients of two networks", async () => {
  await using open = new AsyncDisposableStack();
  const { resolver, at, root } = await startWorld(open);
  const [near, far, long, nowhere, missing] = await Promise.all([
    lookup(at, "--query", NAME, "--subnet", "127.1.5.0/24"),
    lookup(at, "--query", NAME, "--subnet", "127.2.5.0/24", "--tcp"),
    lookup(at, "--query", "big.netcinema.example", "--type", "TXT"),
    lookup(at, "--query", "www.gone.example"),
    lookup(at, "--query", "nope.kingcdn.example"),
  ]);
  assertEquals(near.names, [NAME, "video.kingcdn.example"]);
  assertEquals(near.addresses, ["127.0.0.3"]);
  assertEquals(near.clientSubnet, "127.1.5.0/24/16");
  assertEquals(near.flags, ["rd", "ra"]);
  assertEquals([far.addresses, far.transport], [["127.0.0.4"], "tcp"]);
  assertEquals([long.transport, long.records.length], ["tcp", 1]);
  assertEquals(nowhere.rcode, "SERVFAIL");
  assertEquals([missing.rcode, missing.authorities[0].type], [
    "NXDOMAIN",
    "SOA",
  ]);
  const again = await lookup(at, "--query", NAME, "--subnet", "127.1.9.0/24");
  assertEquals(again.addresses, ["127.0.0.3"]);
  const hit = await resolver.until(
    "recursion.finished",
    (event) => event.source === "cache" && event.question === NAME,
  );
  assertEquals([hit.step, hit.sentMessages], [2, 0]);
  const traced = await runProgram([
    ...["dns-redirector", "--query", NAME, "A", "--trace", "--at", root],
    ...["--subnet", "127.2.5.0/24"],
  ]);
  assertEquals(traced.code, 0, traced.stderr);
  const drawn = traced.stdout.replace(/\[[^\]]*\]/g, "[]");
  assertEquals(drawn.split("\n").filter((line) => !line.includes("──▶")), [
    " 3      local DNS server ◀── start: ask further down: netcinema.example is at ns.netcinema.example (127.0.1.3) []",
    " 5      local DNS server ◀── ns.netcinema.example: video.netcinema.example is an alias of video.kingcdn.example []",
    " 7      local DNS server ◀── start: ask further down: kingcdn.example is at ns.kingcdn.example (127.0.1.4) []",
    " 9      local DNS server ◀── ns.kingcdn.example: 127.0.0.4 []",
    "10  you ◀── local DNS server: NOERROR, 127.0.0.4, good for 20 s []",
    "video.netcinema.example.  300  CNAME  video.kingcdn.example.",
    "video.kingcdn.example.     20  A      127.0.0.4",
    "",
  ]);
  const referral = await lookup(root, "--query", "www.kingcdn.example");
  assertEquals(
    referral.additionals.map(({ data }: { data: string }) => data),
    ["127.0.1.4"],
  );
  // a local DNS server knows no way down
  const lost = await runProgram([
    ...["dns-redirector", "--query", NAME, "--trace", "--at", at],
  ]);
  assertEquals(lost.code, 1);
  assertMatch(lost.stderr, /with --root-hint, or --at\)\n$/);
  const { code } = await resolver.stop();
  assertEquals(code, 0);
  assert(resolver.events.every((event) => event.type !== "recursion.ignored"));
});

Deno.test("dns-redirector --recursive asks each question from another port that cannot be guessed from the one before", async () => {
  await using open = new AsyncDisposableStack();
  const { authorities: [, , king], at } = await startWorld(open);
  assert(king !== undefined);
  for (let round = 0; round < 12; round++) {
    await lookup(at, "--query", `n${round}.kingcdn.example`);
  }
  await king.until(
    "query.answered",
    ({ question }) => question.toLowerCase() === "n11.kingcdn.example",
  );
  const ports = king.events.flatMap((event) =>
    event.type === "query.answered"
      ? [Number(event.remote.replace(/^.*:/, ""))]
      : []
  );
  assertEquals(ports.length, 12);
  assert(new Set(ports).size >= 11, ports.join());
  const steps = ports.slice(1).map((port, at) => port - (ports[at] ?? 0));
  assert(new Set(steps).size >= 10, ports.join());
});

Deno.test("dns-redirector --recursive says what it needs in one line when the root is not given or is none", async () => {
  for (
    const [args, message] of [
      [[], /^rolecall: --recursive needs --root-hint NAME=ADDR or .*\n$/],
      [
        ["--root-hint", "nobody"],
        /^rolecall: --root-hint must be an address.*\n$/,
      ],
      [
        ["--root-hints", "/nowhere"],
        /^rolecall: --root-hints \/nowhere: .*\n$/,
      ],
      [
        ["--root-hint", "127.0.0.1", "--ask-from", "here"],
        /^rolecall: --ask-from must be an address, got "here"\n$/,
      ],
    ] as const
  ) {
    const { code, stderr } = await runProgram([
      ...["dns-redirector", "--recursive", "--port", "0", ...args],
    ]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, message);
  }
});
