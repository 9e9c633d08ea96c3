import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** Small numbers: these show that the acts work, not what they teach. */
const SWARM = {
  ...{ file: "512KiB", pieceLength: "16KiB" },
  ...{ serverUpload: "1MiB/s", peerUpload: "1MiB/s" },
};
const ACTS = [
  { act: "distribution", ...SWARM, leeches: [2] },
  {
    ...{ act: "tit-for-tat", ...SWARM, leeches: 2, freeRiders: 1, slots: 1 },
    ...{ chokeInterval: "200ms", optimisticInterval: "400ms" },
    chokers: ["tit-for-tat"],
  },
  {
    ...{ act: "rarest-first", ...SWARM, leeches: 2 },
    ...{ seedCopies: 4, pickers: ["rarest"] },
  },
  {
    ...{ act: "churn", ...SWARM, leeches: 3 },
    ...{ every: "500ms", seedFor: "2s", quits: 0 },
  },
] as const;

interface DemoResult {
  readonly checks: readonly {
    readonly check: string;
    readonly held: boolean;
    readonly measured: string;
  }[];
  readonly figures: readonly { readonly act: string }[];
}

interface Streaming {
  readonly act: string;
  readonly players: readonly { readonly player: string }[];
  readonly shared: { readonly shares: readonly unknown[] };
}

for (const act of ACTS) {
  Deno.test(`demo plays ${act.act} with real peers and writes its report`, async () => {
    await using folder = await temporaryFolder();
    const scenario = join(folder.path, "small.json");
    await Deno.writeTextFile(
      scenario,
      JSON.stringify({ title: "Small", acts: [act] }),
    );
    const out = join(folder.path, "out");
    const { stdout, stderr } = await runProgram([
      ...["demo", scenario, "--json", "--out", out, "--seed", "1"],
    ]);
    const result: DemoResult = JSON.parse(stdout.slice(stdout.indexOf("{")));
    assertEquals(result.figures.map(({ act }) => act), [act.act]);
    // What such small swarms teach is left to chance; that every copy is the file is not.
    const copies = result.checks.filter(({ check }) =>
      check.includes("byte by byte")
    );
    assert(copies.length > 0 || act.act === "churn", stderr);
    assertEquals(copies.filter(({ held }) => !held), []);
    const report = await Deno.readTextFile(join(out, "report.html"));
    assertStringIncludes(report, "<svg");
  });
}

Deno.test("demo dns counts what each authority is asked, tells networks apart by client subnets, and sees clients leave a dead edge", async () => {
  await using folder = await temporaryFolder();
  const scenario = join(folder.path, "small.json");
  const act = {
    ...{ act: "dns", healthInterval: "1s", resolvers: 2, clients: 2 },
    ...{ domain: "video.site.example", cdnDomain: "video.cdn.example" },
  };
  await Deno.writeTextFile(
    scenario,
    JSON.stringify({ title: "Small", acts: [{ ...act, ttlSeconds: [9] }] }),
  );
  const out = join(folder.path, "out");
  const { stdout, stderr } = await runProgram([
    ...["demo", scenario, "--json", "--out", out, "--ttl", "2s,1s"],
  ]);
  const { checks, figures: [figure] } = JSON.parse(
    stdout.slice(stdout.indexOf("{")),
  );
  assertEquals(checks.length, 10, stderr);
  // A busy machine may be late for all that has a bound, not for these.
  const slides = checks.filter(({ check }: { check: string }) =>
    /slide's way|local DNS server of their own|one for both|client subnets/
      .test(check)
  );
  assertEquals(slides.map(({ held }: { held: boolean }) => held), [
    ...[true, true, true, true],
  ], stdout);
  const [first] = figure.walk;
  assert(first.messages.every((count: number) => count > 0), stdout);
  const { outcomes } = figure.failover;
  for (const { clients, movedMs, failed, questions } of outcomes) {
    assertEquals([clients, movedMs.length], [2, 2]);
    assert(failed > 0 && questions > 0, stdout);
  }
  const [short, long] = outcomes;
  assertEquals([short.ttlSeconds, long.ttlSeconds], [1, 2]);
  assert(short.questions > long.questions, stdout);
  const report = await Deno.readTextFile(join(out, "report.html"));
  assertEquals(report.split("<svg").length - 1, 4);
});

Deno.test("demo streaming shows with real players why one adapts, how near a rule comes, and who gets what", async () => {
  await using folder = await temporaryFolder();
  const scenario = join(folder.path, "small.json");
  // The highest rate is far above the network, so that a few seconds are enough for it to stall.
  await Deno.writeTextFile(
    scenario,
    JSON.stringify({
      title: "Small",
      acts: [{
        ...{ act: "streaming", ladder: "240p@300k,360p@600k,720p@6M" },
        ...{ segment: "1s", buffer: "6s", media: "8s" },
        ...{ trace: "step", rules: ["auto"] },
        shared: {
          ...{ players: 2, rate: "100kB/s", media: "12s", leavesAfter: "4s" },
        },
      }],
    }),
  );
  const out = join(folder.path, "out");
  const { code, stdout, stderr } = await runProgram([
    ...["demo", scenario, "--json", "--out", out],
  ]);
  const { checks, figures } = JSON.parse(
    stdout.slice(stdout.indexOf("{")),
  ) as DemoResult & { readonly figures: readonly [Streaming] };
  assertEquals(code, checks.every(({ held }) => held) ? 0 : 1, stderr);
  for (
    const part of [
      ...["player stalls", "looks poor", "stalls less", "worth more"],
      ...["known the network", "than the bottleneck has", "its share of it"],
    ]
  ) assert(checks.some(({ check }) => check.includes(part)), part);
  // A busy machine stalls, measures wrongly, and is no fair link; what it cannot do is to make these fail.
  const sure = checks.filter(({ check }) =>
    /highest rate a player stalls|than the bottleneck has/.test(check)
  );
  assertEquals(sure.map(({ held }) => held), [true, true], stdout);
  const [{ players, shared }] = figures;
  assertEquals(
    players.map(({ player }) => player),
    ["lowest", "highest", "auto"],
  );
  assertEquals(shared.shares.length, 2);
  const report = await Deno.readTextFile(join(out, "report.html"));
  assertEquals(report.split("<svg").length - 1, 6);
});

Deno.test("demo plays edge: one fetch for a crowd, and origins that go", async () => {
  await using folder = await temporaryFolder();
  const scenario = join(folder.path, "small.json");
  const act = {
    ...{ act: "edge", clients: 3, serverUpload: "20MiB/s" },
    ...{ requests: 300, zipf: 1.2, cachePart: 0.5 },
  };
  await Deno.writeTextFile(
    scenario,
    JSON.stringify({ title: "Small", acts: [act] }),
  );
  const { stdout, stderr } = await runProgram([
    ...["demo", scenario, "--json", "--clients", "5", "--seed", "1"],
  ]);
  const result: DemoResult = JSON.parse(stdout.slice(stdout.indexOf("{")));
  assertEquals(result.figures.map(({ act }) => act), ["edge"]);
  // So few copies at such a rate take no time to speak of.
  const others = result.checks.filter(({ check }) =>
    !check.startsWith("the edge turns the time")
  );
  assertEquals(others.length, 6);
  assertEquals(others.filter(({ held }) => !held), [], stderr);
  const crowd = result.checks.find(({ check }) => check.includes("one fetch"));
  assertStringIncludes(crowd!.measured, "1 fetch for 5 clients");
});

Deno.test("demo cdn takes one number of clients, and no file", async () => {
  for (
    const [flag, value, told] of [
      ["--clients", "5,10", "one number from 2 to 200 in cdn, got 5,10"],
      ["--clients", "0", "one number from 2 to 200 in cdn, got 0"],
      ["--clients", "201", "one number from 2 to 200 in cdn, got 201"],
      ["--server-upload", "0", "--server-upload must be above 0"],
      ["--file", "1MiB", "--file means nothing to this scenario"],
    ] as const
  ) {
    const { code, stderr } = await runProgram(["demo", "cdn", flag, value]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, told);
  }
});

for (const act of ["distribution", "churn"] as const) {
  Deno.test(`demo ends a simulation of ${act} in the middle when it is told to stop`, async () => {
    await using demo = await startProgram([
      ...["demo", act, "--simulate", "--clients", "3000", "--json"],
    ]);
    await demo.until("act.started");
    // The act takes half a minute and more.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { code, stdout } = await demo.stop();
    assertEquals(code, 0);
    // It had not come to its end.
    assertEquals(stdout, "");
  });
}

Deno.test("demo tit-for-tat without free riders says nothing of them", async () => {
  const { code, stdout, stderr } = await runProgram([
    ...["demo", "tit-for-tat", "--simulate", "--free-riders", "0"],
    ...["--file", "2MiB", "--seed", "1"],
  ]);
  assertEquals(code, 0, stderr);
  assert(!/NaN|free riders/.test(stdout), stdout);
});

Deno.test("demo simulates a file that takes hours, close to the bounds: no peer's timer takes slow for gone", async () => {
  const { code, stdout, stderr } = await runProgram([
    ...["demo", "distribution", "--simulate", "--json", "--clients", "1,5"],
    ...["--file", "10GiB", "--seed", "1"],
  ]);
  assertEquals(code, 0, stderr);
  const { checks, figures } = JSON.parse(stdout);
  assertEquals(checks.filter(({ held }: { held: boolean }) => !held), []);
  const [, five] = figures[0].measured;
  assertEquals(five.peerToPeer.boundSeconds, 3413.333);
  assert(five.peerToPeer.ratio < 1.15, JSON.stringify(five));
});

Deno.test("demo simulates a class as it starts: within a second, not all at once", async () => {
  const { stdout } = await runProgram([
    ...["demo", "distribution", "--simulate", "--json", "--clients", "2"],
    ...["--server-upload", "1GiB/s", "--seed", "1"],
  ]);
  const [two] = JSON.parse(stdout).figures[0].measured;
  const { seconds } = two.peerToPeer;
  assert(seconds > 0.5 && seconds < 1, JSON.stringify(two));
});

Deno.test("demo --keep says where the folder is", async () => {
  const { code, stdout } = await runProgram([
    ...["demo", "distribution", "--clients", "1"],
    ...["--file", "1MiB", "--keep"],
  ]);
  assertEquals(code, 0);
  const folder = /files and event logs are in (.+)$/m.exec(stdout)?.[1];
  assert(folder !== undefined, stdout);
  assert((await Deno.stat(folder)).isDirectory);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("demo ends every program that it started when it is told to stop", async () => {
  await using demo = await startProgram([
    ...["demo", "distribution", "--clients", "3"],
  ]);
  await demo.until(
    "program.started",
    ({ program }) => program === "swarm-3-seed",
  );
  const pids = demo.events.flatMap((event) =>
    event.type === "program.started" ? [event.pid] : []
  );
  assert(pids.length >= 5);
  await demo.stop();
  for (const pid of pids) {
    assert(!await isAlive(pid), `program ${pid} is still there`);
  }
});

Deno.test("demo is told to stop at a terminal, as its programs are, and ends with 0 though they were first", async () => {
  await using demo = await startProgram(["demo", "churn"]);
  const { pid } = await demo.until("program.started");
  Deno.kill(pid, "SIGKILL");
  const { code } = await demo.stop();
  const last = demo.events.at(-1)!;
  assert(last.type === "role.finished");
  assertEquals([code, last.error], [0, undefined]);
});

Deno.test("demo fails when a program of it ends in mid-play", async () => {
  await using demo = await startProgram(["demo", "churn"]);
  const { pid } = await demo.until("program.started");
  Deno.kill(pid, "SIGKILL");
  const { code } = await demo.exited;
  assertEquals(code, 1);
});

/** Whether there is a process that is no zombie. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return status !== "" && !/^State:\s*Z/m.test(status);
}

Deno.test("demo says what is wrong with a scenario, or with its name, in one line", async () => {
  await using folder = await temporaryFolder();
  const scenario = join(folder.path, "wrong.json");
  await Deno.writeTextFile(
    scenario,
    '{\n  "title": "T",\n  "acts": [\n    { "act": "churn", "file": "1MiB", "leches": 3 }\n  ]\n}',
  );
  for (
    const [args, said] of [
      [
        ["demo", scenario],
        "line 4: acts[0].serverUpload must be a text, got nothing",
      ],
      [["demo", "churm"], 'did you mean "churn"?'],
      [["demo", "churn", "--clients", "1,2"], "--clients must be one number"],
      [["demo", "distribution", "--clients", "31"], "more with --simulate"],
      [
        ["demo", "all", "--simulate"],
        "--simulate is for scenarios of swarms only",
      ],
      [
        ["demo", "churn", "--free-riders", "1"],
        "--free-riders means nothing",
      ],
      [["demo", "churn", "--ttl", "2s"], "--ttl means nothing"],
      [["demo", "dns", "--file", "1MiB"], "--file means nothing"],
      [["demo", "dns", "--ttl", "1500ms"], "in whole seconds up to 5 min 00 s"],
      [["demo", "dns", "--clients", "61"], "one number from 1 to 60 in dns"],
      [
        ["demo", "dns", "--health-interval", "100ms"],
        "--health-interval must be at least 500 ms, got 100 ms",
      ],
      [["demo", "churn", "--trace", "lte"], "--trace means nothing"],
      [["demo", "streaming", "--file", "1MiB"], "--file means nothing"],
      [
        ["demo", "streaming", "--clients", "100"],
        "--clients must be one number from 2 to 10",
      ],
      [
        ["demo", "streaming", "--duration", "1s"],
        "--duration must be from 5s to 10min",
      ],
    ] as const
  ) {
    const { code, stderr } = await runProgram(args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, said);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});
