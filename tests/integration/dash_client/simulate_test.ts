import { assert, assertEquals, assertMatch } from "@std/assert";
import { ABR_NAMES } from "../../../lib/dash/abr/mod.ts";
import { runProgram, temporaryFolder } from "../../support/program.ts";

const MOVIE = JSON.stringify({
  "segment_duration_ms": 2000,
  "bitrates_kbps": [300, 900, 2400],
  "segment_sizes_bits": Array.from(
    { length: 30 },
    (_, at) => [300, 900, 2400].map((rate) => rate * (at % 2 ? 1600 : 2400)),
  ),
});

async function inFolder(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
) {
  await using folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
  }
  await use(folder.path);
}

Deno.test("dash-client --abr all compares every rule on one trace, with the optimum, and writes a report", async () => {
  await inFolder({}, async (folder) => {
    const { code, stdout, stderr } = await runProgram([
      "dash-client",
      ...["--abr", "all", "--trace", "3g", "--duration", "60s"],
      ...["--out", folder, "--json"],
    ]);
    assertEquals(code, 0, stderr);
    const result = JSON.parse(stdout);
    const names = result.rules.map((rule: { name: string }) => rule.name);
    assertEquals([...names].sort(), [...ABR_NAMES].sort());
    assert(result.optimum.feasible <= result.optimum.bound);
    assertEquals(result.segmentCount, 12);
    for (const rule of result.rules) {
      assertEquals(Math.round(rule.playedMs), 60_000);
      // A rung fixed in advance may begin higher than the optimum does.
      if (rule.name !== "fixed") assert(rule.score <= result.optimum.bound);
    }
    const report = await Deno.readTextFile(`${folder}/report.html`);
    assertMatch(report, /of what was possible/);
    assertMatch(await Deno.readTextFile(`${folder}/rates.svg`), /<svg/);
  });
});

Deno.test("dash-client --simulate plays a film's description over a trace file", async () => {
  const trace = '[{"duration_ms":1000,"bandwidth_kbps":1000}]';
  await inFolder({ "m.json": MOVIE, "t.json": trace }, async (folder) => {
    const { code, stdout, stderr } = await runProgram([
      "dash-client",
      `${folder}/m.json`,
      ...["--simulate", "--abr", "fixed", "--quality", "900k"],
      ...["--trace", `${folder}/t.json`, "--latency", "50ms", "--json"],
    ]);
    assertEquals(code, 0, stderr);
    const [rule] = JSON.parse(stdout).rules;
    assertEquals(rule.segments.length, 30);
    // 900 kbit/s times 2.4 s over 1 Mbit/s, and the latency asked for.
    assertEquals(rule.startupMs, 2160 + 50);
    assertEquals(rule.segments[1].arrivedAtMs, 2210 + 50 + 1440);
  });
});

Deno.test("dash-client --simulate --live plays at the edge of a title that grows, with its latency in table, JSON and report", async () => {
  await inFolder({}, async (folder) => {
    const { code, stdout, stderr } = await runProgram([
      ...["dash-client", "--simulate", "--live", "--segment", "1s"],
      ...["--live-delay", "3s", "--duration", "60s", "--trace", "wifi"],
      ...["--out", folder, "--json"],
    ]);
    assertEquals(code, 0, stderr);
    const result = JSON.parse(stdout);
    assertEquals(result.targetLatencyMs, 3000);
    assertEquals(result.segmentCount, 60);
    const names = result.rules.map((rule: { name: string }) => rule.name);
    assertEquals([...names].sort(), [...ABR_NAMES].sort());
    for (const rule of result.rules) {
      assert(rule.meanLatencyMs > 2900 && rule.meanLatencyMs < 4000, rule.name);
    }
    assertMatch(
      await Deno.readTextFile(`${folder}/latency.svg`),
      />throughput</,
    );
    const rows = await Deno.readTextFile(`${folder}/segments.csv`);
    const [heads, ...lines] = rows.trim().split("\r\n").map((line) =>
      line.split(",")
    );
    assertEquals(lines.length, 60 * names.length);
    // Of the built-in title the pictures are known.
    const column = (name: string) =>
      new Set(lines.map((line) => line[heads!.indexOf(name)]));
    assertEquals(column("FPS"), new Set(["24"]));
    assert([...column("Height")].every((each) => Number(each) >= 360));
    assert([...column("Codec")].every((each) => each!.startsWith("avc")));
  });
  const chunked = await runProgram([
    ..."dash-client --simulate --live --segment 4s --chunk 250ms".split(" "),
    ..."--duration 60s --trace wifi --abr lol-plus --json".split(" "),
  ]);
  assertEquals(chunked.code, 0, chunked.stderr);
  const { targetLatencyMs, rules } = JSON.parse(chunked.stdout);
  assertEquals(targetLatencyMs, 750);
  assert(rules[0].meanLatencyMs < 1500, chunked.stdout);
});

const BAD: readonly (readonly [args: readonly string[], line: RegExp])[] = [
  [["--simulate", "--trace", "5g"], /--trace must be lte, .* got "5g"/],
  [["--simulate", "--trace", "bad.txt"], /bad\.txt: line 2: must be 2 numbers/],
  [["--simulate", "--trace", "none/t.txt"], /none\/t\.txt: .* no such file/],
  [["none.txt", "--simulate"], /none\.txt: there is no such file/],
  [["bad.txt", "--simulate"], /bad\.txt as a film.*no JSON/],
  [["--simulate", "--quality", "4k"], /--quality must be .*400k, 1000k, 2500k/],
  [["--simulate", "--duration", "0"], /--duration must be above 0/],
  [["--simulate", "--buffer", "0s"], /--buffer must be above 0/],
  [
    ["--simulate", "--start-buffer", "31s"],
    /--start-buffer must be at most what --buffer holds, 30s, got 31s/,
  ],
  [
    "--simulate --buffer 4s --resume-buffer 5s".split(" "),
    /--resume-buffer must be at most what --buffer holds, 4s, got 5s/,
  ],
  [["--simulate", "--abr", "magic"], /--abr must be one of auto, /],
  [
    ["--simulate", "--live", "--live-delay", "1s"],
    /at least a segment, 5\.0 s/,
  ],
  [
    "--simulate --live --chunk 500ms --live-delay 100ms".split(" "),
    /at least a chunk, 500 ms/,
  ],
  [["--simulate", "--live", "--chunk", "5s"], /--chunk must be .*5\.0 s/],
  [["--simulate", "--chunk", "1s"], /--chunk .* without --live/],
  [["--simulate", "--live", "--catch-up", "1"], /--catch-up must be .*got 1/],
  [["--simulate", "--live-delay", "5s"], /with --simulate --live/],
  [["--abr", "all", "--catch-up", "0.1"], /with --simulate --live/],
  [
    ["http://[::1]:2000/m.mpd", "--latency", "50ms"],
    /--latency is that of --trace/,
  ],
  ...[
    ["--simulate --abr bba0 --quality 1000k", /--quality .* with --abr bba0/],
    ["http://[::1]:2000/m.mpd --quality 720p", /--quality .* --abr auto/],
    ["http://[::1]:2000/m.mpd --stagger 2s", /--stagger .* without --clients/],
    [
      "http://[::1]:2000/m.mpd --clients 1 --stagger 2s",
      /--stagger .* without --clients/,
    ],
    ["--abr all --clients 3 --stagger 2s", /--clients .* with --abr all/],
    ["--abr all --cooperate", /--cooperate .* with --abr all/],
    ["--abr all --cmcd query", /--cmcd .* with --abr all/],
    ["--abr all --tracks audio", /--tracks .* with --abr all/],
    ["--abr all --start-at 20s", /--start-at .* with --abr all/],
    ["--abr all --seek 1s:2s", /--seek .* with --abr all/],
    ["--abr all --speed 2", /--speed .* with --abr all/],
    ["--abr all --resolver 127.0.0.1:53", /--resolver .*nothing is fetched/],
    ["--simulate --client-subnet 10.0.0.0/8", /--client-subnet .*nothing is/],
    ["--simulate --host 127.0.0.1", /--host .*nothing is fetched/],
    ["m.txt --simulate --timeout 2s", /--timeout .*nothing is fetched/],
  ].map(([text, line]) =>
    [(text as string).split(" "), line as RegExp] as const
  ),
  [["--simulate", "--segment", "2h"], /--segment must be from 250ms to 60s/],
  [["m.json", "--simulate", "--segment", "1s"], /the built-in title's/],
  [[], /manifest's URL is missing/],
  [
    ["http://[::1]:2000/m.mpd", "--duration", "0"],
    /--duration must be above 0/,
  ],
];

Deno.test("dash-client says in one line what is wrong with a simulation", async () => {
  await inFolder({ "bad.txt": "1 2\nx\n" }, async (folder) => {
    const runs = BAD.map(async ([args, line]) => {
      const { code, stderr } = await runProgram([
        "dash-client",
        ...args.map((arg) => arg.endsWith(".txt") ? `${folder}/${arg}` : arg),
      ]);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, line);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    });
    await Promise.all(runs);
  });
});

Deno.test("dash-client --resume-buffer makes few long stalls of many short ones", async () => {
  // Less than the rate that is asked for, all the time.
  const trace = '[{"duration_ms":1000,"bandwidth_kbps":600}]';
  await inFolder({ "m.json": MOVIE, "t.json": trace }, async (folder) => {
    const play = async (flags: readonly string[]) => {
      const { code, stdout, stderr } = await runProgram([
        "dash-client",
        `${folder}/m.json`,
        ...["--simulate", "--abr", "fixed", "--quality", "900k"],
        ...["--trace", `${folder}/t.json`, "--buffer", "20s", "--json"],
        ...flags,
      ]);
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout).rules[0];
    };
    const short = await play([]);
    const long = await play(["--resume-buffer", "8s"]);
    const slow = await play(["--start-buffer", "8s", "--resume-buffer", "0s"]);
    assert(
      short.stallCount > 3 * long.stallCount,
      JSON.stringify([short, long]),
    );
    assert(long.stallCount > 0);
    // Waiting at the beginning spares stalls; only the threshold after them makes each long.
    assert(slow.startupMs > 3 * short.startupMs);
    assertEquals(long.startupMs, short.startupMs);
    const mean = ({ stallMs, stallCount }: typeof short) =>
      stallMs / stallCount;
    assert(mean(long) > 3 * mean(slow));
  });
});
