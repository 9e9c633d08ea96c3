import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { namedTrace, TRACE_NAMES } from "../../../lib/model/trace_catalog.ts";
import { parseTrace } from "../../../lib/model/trace_formats.ts";
import { traceDurationMs } from "../../../lib/model/trace.ts";

type Row = readonly [durationMs: number, kbit: number, latencyMs: number];

function rows(text: string, latencyMs?: number): Row[] {
  return parseTrace(text, { name: "t", latencyMs }).periods.map((period) => [
    period.durationMs,
    Math.round(period.bitsPerSecond) / 1000,
    period.latencyMs,
  ]);
}

const FORMATS: readonly (readonly [
  name: string,
  text: string,
  expected: readonly Row[],
])[] = [
  [
    "Sabre's JSON",
    '[{"duration_ms":840,"bandwidth_kbps":16823,"latency_ms":20},{"duration_ms":1000,"bandwidth_kbps":0,"latency_ms":30}]',
    [[840, 16_823, 20], [1000, 0, 30]],
  ],
  [
    "JSON without latency",
    '\uFEFF [{"duration_ms":1,"bandwidth_kbps":1}]',
    [[1, 1, 0]],
  ],
  // Two packets in the first 100 ms, none in the second, one at the end of the third, which lasts 50 ms.
  ["mahimahi", "0\n100\n250\n", [[100, 240, 0], [100, 0, 0], [50, 240, 0]]],
  // What a line says holds since the line before.
  ["Pensieve", "0.5 9.0\n1.5 1.25\n3.5 0\n", [[1000, 1250, 80], [
    2000,
    0,
    80,
  ]]],
  [
    "Norway",
    "1284361403 549060 59.84 10.78 165000 1020\n1284361404 550063 59.84 10.78 0 1003\n1284361404 550063 59.84 10.78 9 0\n",
    [[1020, 1294.118, 100], [1003, 0, 100]],
  ],
  [
    "Ghent",
    "1453121790686 7 51.03 3.71 1766475 840\n",
    [[840, 16_823.571, 20]],
  ],
  [
    "CSV with durations",
    "latency_ms,bandwidth_kbps,Duration_MS\r\n# a comment\r\n30,1500,500\r\n40,20,1500\r\n",
    [[500, 1500, 30], [1500, 20, 40]],
  ],
  [
    "CSV with instants",
    "time_s;mbps;note\n10;2;a\n12.5;0.5;b\n13;4;c\n",
    [[2500, 2000, 0], [500, 500, 0], [500, 4000, 0]],
  ],
  [
    "Cork's CSV",
    "Timestamp,Longitude,Latitude,Speed,DL_bitrate\n2018.01.18_16.50.20,-8.4,51.9,0,1200\n2018.01.18_16.50.21,-8.4,51.9,0,0\n",
    [[1000, 1200, 0], [1000, 0, 0]],
  ],
];

for (const [name, text, expected] of FORMATS) {
  Deno.test(`parseTrace reads ${name}`, () => {
    assertEquals(rows(text), [...expected]);
    assertEquals(rows(text, 7).map(([, , latency]) => latency), [
      ...expected.map(() => 7),
    ]);
  });
}

const BAD: readonly (readonly [text: string, message: RegExp])[] = [
  ["", /nothing in it/],
  ["# only a comment\n", /nothing in it/],
  ["[", /no JSON/],
  ["{}", /must be a list/],
  ["[]", /nothing in it/],
  ["[null]", /entry 1: duration_ms must be a number/],
  ['[{"duration_ms":"5","bandwidth_kbps":1}]', /entry 1: .*got "5"/],
  ['[{"duration_ms":0,"bandwidth_kbps":1}]', /above 0 .*got 0/],
  ['[{"duration_ms":1e99,"bandwidth_kbps":1}]', /at most a day/],
  ['[{"duration_ms":1,"bandwidth_kbps":-1}]', /from 0 to/],
  [
    '[{"duration_ms":1,"bandwidth_kbps":1,"latency_ms":1e9}]',
    /latency.*got 1000000000/,
  ],
  ['[{"duration_ms":1,"bandwidth_kbps":0}]', /nothing would ever come/],
  [
    '[{"duration_ms":9,"bandwidth_kbps":0.05}]',
    /at least 100 bit\/s, got 50/,
  ],
  [
    '[{"duration_ms":0.01,"bandwidth_kbps":100}]',
    /last at least 1 ms, got 0.01/,
  ],
  ["5\n4\n", /line 2: instants .* never fall/],
  ["0\n", /last instant/],
  ["999999999999\n", /last instant/],
  ["1 2\n0.5 2\n", /line 2: a duration must be above 0/],
  ["1 2\n2 x\n", /line 2: must be 2 numbers/],
  ["1 2\n", /nothing in it/],
  ["1 2 3\n", /line 1: must be JSON/],
  ["1,2\n", /names of CSV columns/],
  ["a,b\n1,2\n", /line 1: CSV needs/],
  ["time_s,mbps\n0,1\n0,1\n", /line 2: a duration/],
  ["duration_ms,mbps\n1000,\n", /line 2: mbps must be a number, got ""/],
];

for (const [text, message] of BAD) {
  Deno.test(`parseTrace refuses ${JSON.stringify(text.slice(0, 50))}`, () => {
    const error = assertThrows(() => rows(text), SyntaxError);
    assert(message.test(error.message), error.message);
    assert(!error.message.includes("\n"), "one line");
  });
}

Deno.test("parseTrace throws nothing but SyntaxError on damaged files", () => {
  const rng = seededRng(5);
  for (let round = 0; round < 600; round++) {
    const whole = FORMATS[round % FORMATS.length]![1];
    const at = Math.floor(rng() * whole.length);
    const noise = String.fromCharCode(Math.floor(rng() * 128));
    const damaged = rng() < 0.3
      ? whole.slice(0, at)
      : whole.slice(0, at) + noise + whole.slice(at + Math.floor(rng() * 3));
    try {
      for (const [durationMs, kbit, latencyMs] of rows(damaged)) {
        assert(durationMs > 0 && kbit >= 0 && latencyMs >= 0, damaged);
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
});

Deno.test("namedTrace has the traces that ship, the same ones every time", () => {
  assertEquals(namedTrace("nothing"), null);
  for (const name of TRACE_NAMES) {
    const trace = namedTrace(name)!;
    assertEquals(trace, namedTrace(name));
    const bits = trace.periods.reduce(
      (sum, each) => sum + each.durationMs * each.bitsPerSecond,
      0,
    );
    assert(bits / traceDurationMs(trace) > 400_000);
    assertEquals(trace.name, name);
  }
  const step = namedTrace("step")!;
  assertEquals(
    step.periods.map((each) => each.bitsPerSecond / 1000),
    [3500, 800, 3500],
  );
  assertEquals(traceDurationMs(step), 60_000);
  const outages = namedTrace("3g")!.periods.filter((each) =>
    each.bitsPerSecond === 0
  );
  assert(outages.length > 10, "the 3G-like link has holes");
});
