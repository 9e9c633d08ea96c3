import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  portOf,
  runProgram,
  runTool,
  type StartedProgram,
  startProgram,
} from "../../support/program.ts";

const ZONE =
  new URL("../../testdata/dns/kingcdn.zone", import.meta.url).pathname;

async function serve(
  ...more: readonly string[]
): Promise<{ server: StartedProgram; port: string }> {
  const server = await startProgram([
    "dns-redirector",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--zone",
    ZONE,
    "--cname",
    "video.netcinema.example=video.kingcdn.example",
    "--policy",
    "geo",
    "--site",
    "127.1.0.0/16=127.0.0.3",
    "--site",
    "127.2.0.0/16=127.0.0.4",
    "--site",
    "2001:db8::/32=fd00::4",
    ...more,
  ]);
  const port = await portOf(server, "tcp");
  return { server, port: String(port) };
}

async function dig(port: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool("dig", [
    "@127.0.0.1",
    "-p",
    port,
    "+norecurse",
    "+tries=1",
    "+time=5",
    ...args,
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
  // dig says so when anything about an answer is odd
  assert(!/warning|malformed|extra bytes|mismatch/i.test(stdout), stdout);
  return stdout;
}

Deno.test("dig understands every kind of answer without a warning", async () => {
  const { server, port } = await serve();
  await using _server = server;
  for (
    const [args, status, ...patterns] of [
      [
        "video.kingcdn.example +subnet=127.1.9.0/24",
        "NOERROR",
        /flags: qr aa;/,
        /^video\.kingcdn\.example\.\s+20\s+IN\s+A\s+127\.0\.0\.3$/m,
        /CLIENT-SUBNET: 127\.1\.9\.0\/24\/16/,
      ],
      [
        "video.kingcdn.example +subnet=127.2.9.0/24",
        "NOERROR",
        /\sA\s+127\.0\.0\.4$/m,
      ],
      [
        "video.kingcdn.example AAAA +subnet=2001:db8::/48",
        "NOERROR",
        /\sAAAA\s+fd00::4$/m,
        /CLIENT-SUBNET: 2001:db8::\/48\/32/,
      ],
      [
        "video.kingcdn.example +subnet=0/0",
        "NOERROR",
        /\sA\s+127\.0\.0\.[34]$/m,
      ],
      [
        "video.netcinema.example +subnet=127.2.0.0/16",
        "NOERROR",
        /CNAME\s+video\.kingcdn\.example\./,
        /\sA\s+127\.0\.0\.4$/m,
      ],
      ["www.kingcdn.example +tcp", "NOERROR", /\(TCP\)/, /CNAME/, /\sA\s+127/],
      ["www.kingcdn.example +noedns", "NOERROR", /\sA\s+127/],
      [
        "mail.kingcdn.example",
        "NOERROR",
        /ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1/,
        /\sA\s+127\.0\.0\.9$/m,
      ],
      [
        "mail.kingcdn.example AAAA",
        "NOERROR",
        /ANSWER: 0, AUTHORITY: 1/,
        /^kingcdn\.example\.\s+30\s+IN\s+SOA/m,
      ],
      [
        "nowhere.kingcdn.example",
        "NXDOMAIN",
        /flags: qr aa;/,
        /^kingcdn\.example\.\s+30\s+IN\s+SOA/m,
      ],
      ["_tcp.kingcdn.example", "NOERROR", /ANSWER: 0, AUTHORITY: 1/],
      ["a.b.any.kingcdn.example", "NOERROR", /\sA\s+127\.0\.0\.8$/m],
      [
        "deep.sub.kingcdn.example",
        "NOERROR",
        /flags: qr;/,
        /NS\s+ns\.sub\.kingcdn\.example\./,
        /\sA\s+127\.0\.0\.10$/m,
      ],
      ["other.example", "REFUSED", /flags: qr;/],
      [". NS", "REFUSED", /flags: qr;/],
      ["kingcdn.example SOA", "NOERROR", /2026112301 86400 7200 2419200 30/],
      ["kingcdn.example NS", "NOERROR", /NS\s+ns1\.kingcdn\.example\./],
      ["kingcdn.example MX", "NOERROR", /MX\s+10 mail\.kingcdn\.example\./],
      ["kingcdn.example CAA", "NOERROR", /CAA\s+0 issue "ca\.example"/],
      [
        "_http._tcp.kingcdn.example SRV",
        "NOERROR",
        /SRV\s+0 5 8080 video\.kingcdn\.example\./,
      ],
      [
        "txt.kingcdn.example TXT",
        "NOERROR",
        /"a text; with a semicolon" "and a second one"/,
      ],
      ["big.kingcdn.example TXT", "NOERROR", /ANSWER: 6/, /\(TCP\)/],
      [
        "big.kingcdn.example TXT +ignore",
        "NOERROR",
        /flags: qr aa tc;/,
        /ANSWER: 0/,
      ],
      ["kingcdn.example ANY +notcp", "NOERROR", /HINFO\s+"RFC8482" ""/],
      ["version.bind CH TXT", "NOERROR", /"rolecall"/],
      ["hostname.bind CH TXT", "REFUSED"],
      [
        "mail.kingcdn.example +edns=1 +noednsnegotiation",
        "BADVERS",
        /version: 0/,
      ],
      [
        "mail.kingcdn.example +ednsopt=65001:616263 +nsid +cookie",
        "NOERROR",
        /\sA\s+127/,
      ],
      ["mail.kingcdn.example +dnssec", "NOERROR", /flags: do/],
      ["mail.kingcdn.example +opcode=STATUS", "NOTIMP"],
      ["mail.kingcdn.example +opcode=NOTIFY", "NOTIMP"],
      ["mail.kingcdn.example +header-only +noedns", "FORMERR"],
    ] as const
  ) {
    const shown = await dig(port, ...args.split(" "));
    assertMatch(shown, new RegExp(`status: ${status},`), args);
    for (const pattern of patterns) assertMatch(shown, pattern, args);
  }
});

Deno.test("dig +short and the source address alone tell the edge", async () => {
  const { server, port } = await serve();
  await using _server = server;
  for (
    const [source, address] of [
      ["127.1.0.7", "127.0.0.3"],
      ["127.2.0.7", "127.0.0.4"],
    ] as const
  ) {
    for (const transport of ["+notcp", "+tcp"]) {
      assertEquals(
        await dig(
          port,
          "-b",
          source,
          "+short",
          transport,
          "video.kingcdn.example",
        ),
        `${address}\n`,
      );
    }
  }
});

Deno.test("dig gets its mixed case back (0x20)", async () => {
  const { server, port } = await serve();
  await using _server = server;
  const shown = await dig(port, "MaIl.KiNgCdN.eXaMpLe");
  assertMatch(shown, /^MaIl\.KiNgCdN\.eXaMpLe\.\s+3600\s+IN\s+A/m);
});

Deno.test("dig cannot transfer the zone, and the server stays", async () => {
  const { server, port } = await serve();
  await using _server = server;
  assertMatch(
    (await runTool("dig", [
      "@127.0.0.1",
      "-p",
      port,
      "kingcdn.example",
      "AXFR",
    ]))
      .stdout,
    /Transfer failed/,
  );
  assertEquals(
    await dig(port, "+short", "mail.kingcdn.example"),
    "127.0.0.9\n",
  );
});

Deno.test("dig transfers the zone when it may, cookies and keepalive as RFC 7873 and 7828 have them", async () => {
  const { server, port } = await serve("--allow-transfer", "127.0.0.0/8");
  await using _server = server;
  const zone = await dig(port, "kingcdn.example", "AXFR");
  assertMatch(zone, /XFR size: 23 records/);
  assertMatch(
    zone,
    /^video\.kingcdn\.example\.\s+20\s+IN\s+A\s+127\.0\.0\.4$/m,
  );
  const current = ["kingcdn.example", "IXFR=2026112301", "+tcp"];
  assertMatch(await dig(port, ...current), /XFR size: 1 records/);
  assertMatch(
    await dig(port, "mail.kingcdn.example", "+cookie", "+keepalive", "+tcp"),
    /COOKIE: [0-9a-f]{48} \(good\)[^]*TCP KEEPALIVE: 10\.0 secs/i,
  );
});

Deno.test("kdig understands UDP, TCP and client subnets without a warning", async () => {
  const { server, port } = await serve();
  await using _server = server;
  for (
    const [args, pattern] of [
      ["video.netcinema.example +subnet=127.1.0.0/16", /\sA\s+127\.0\.0\.3/],
      [
        "video.kingcdn.example +tcp +subnet=127.2.0.0/24",
        /CLIENT-SUBNET: 127\.2\.0\.0\/24\/16/,
      ],
      ["nowhere.kingcdn.example", /NXDOMAIN/],
      ["big.kingcdn.example TXT +tcp", /ANSWER: 6/],
      ["deep.sub.kingcdn.example", /ns\.sub\.kingcdn\.example\./],
      ["kingcdn.example ANY", /RFC8482/],
    ] as const
  ) {
    const { code, stdout, stderr } = await runTool("kdig", [
      "@127.0.0.1",
      "-p",
      port,
      "+norec",
      ...args.split(" "),
    ]);
    assertEquals([code, stderr], [0, ""], args);
    assert(!/warning|error:/i.test(stdout.replace(/NOERROR/g, "")), stdout);
    assertMatch(stdout, pattern, args);
  }
});

const GARBAGE = `
import random, socket, struct, sys
random.seed(20261123)
port = int(sys.argv[1])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
query = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x01" \\
    + b"\\x05video\\x07kingcdn\\x07example\\x00\\x00\\x01\\x00\\x01" \\
    + b"\\x00\\x00\\x29\\x04\\xd0\\x00\\x00\\x00\\x00\\x00\\x0b\\x00\\x08\\x00\\x07\\x00\\x01\\x18\\x00\\x7f\\x02\\x01"
for turn in range(3000):
    data = bytearray(query if turn % 2 else random.randbytes(random.randrange(600)))
    for _ in range(random.randrange(6)):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)
    udp.sendto(bytes(data[: random.randrange(len(data) + 1)] if turn % 3 == 0 else data), ("127.0.0.1", port))
for turn in range(100):
    tcp = socket.create_connection(("127.0.0.1", port))
    data = random.randbytes(random.randrange(300))
    try:
        tcp.sendall(struct.pack(">H", len(data) + turn % 3) + data)
        if turn % 2:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    tcp.close()
fresh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fresh.settimeout(1)
answer = b""
for attempt in range(10):  # the burst may have filled the server's receive queue
    fresh.sendto(query, ("127.0.0.1", port))
    try:
        answer = fresh.recv(4096)
        break
    except TimeoutError:
        pass
assert answer[:2] == query[:2] and answer[3] & 15 == 0, answer
print("alive")
`;

Deno.test("python3 throwing garbage and resets does not stop the server", async () => {
  const { server, port } = await serve();
  await using _server = server;
  const { code, stdout, stderr } = await runTool("python3", [
    "-c",
    GARBAGE,
    port,
  ]);
  assertEquals([code, stdout], [0, "alive\n"], stderr);
  assertEquals(
    await dig(port, "+short", "mail.kingcdn.example"),
    "127.0.0.9\n",
  );
});

Deno.test("our look-up prints what dig prints", async () => {
  const { server, port } = await serve();
  await using _server = server;
  const { code, stdout } = await runProgram([
    "dns-redirector",
    "--query",
    "video.netcinema.example",
    "--at",
    `127.0.0.1:${port}`,
    "--subnet",
    "127.2.0.0/24",
    "--json",
  ]);
  assertEquals(code, 0);
  const digs = await dig(
    port,
    "+short",
    "+subnet=127.2.0.0/24",
    "video.netcinema.example",
  );
  const ours = JSON.parse(stdout).records.map((record: { data: string }) =>
    record.data
  );
  assertEquals(`${ours.join("\n")}\n`, digs);
});
