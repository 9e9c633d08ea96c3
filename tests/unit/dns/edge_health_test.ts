import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import {
  EdgeHealth,
  type HealthOutput,
  type HealthRules,
  longestTimeoutMs,
} from "../../../lib/dns/edge_health.ts";

const RULES: HealthRules = { intervalMs: 1000, fall: 2, rise: 2 };

/** Checks an edge that is alive at `isAlive(startMs)`, each check taking `takesMs`; tells what changed and when. */
function run(
  isAlive: (atMs: number) => boolean,
  { rules = RULES, takesMs = 0, untilMs = 20_000 } = {},
): { readonly change: HealthOutput; readonly atMs: number }[] {
  const health = new EdgeHealth(rules, 0);
  const changes: { change: HealthOutput; atMs: number }[] = [];
  for (let atMs = 0; atMs < untilMs;) {
    const [check] = health.handle({ kind: "timeout" }, atMs);
    assertEquals(check, { kind: "check" });
    assertEquals(health.deadlineMs, Infinity);
    const alive = isAlive(atMs);
    // a dead edge is found out by waiting, one that is alive answers soon
    atMs += alive ? Math.min(takesMs, 1) : takesMs;
    const outcome = alive
      ? { kind: "passed" } as const
      : { kind: "missed", reason: "no answer" } as const;
    for (const change of health.handle(outcome, atMs)) {
      changes.push({ change, atMs });
    }
    assert(health.deadlineMs >= atMs);
    atMs = health.deadlineMs;
  }
  return changes;
}

Deno.test("EdgeHealth takes an edge out after two failures and back after two passes", () => {
  // checks at 0 and 1000 are passed; those at 2000 and 2500 wait 400 for nothing, from then on every 1000
  const changes = run((atMs) => atMs < 1500 || atMs > 5000, { takesMs: 400 });
  assertEquals(changes, [
    {
      change: {
        kind: "failed",
        misses: 2,
        reason: "no answer",
        silentMs: 1900,
        hasPassed: true,
      },
      atMs: 2900,
    },
    { change: { kind: "recovered", passes: 2, downMs: 3601 }, atMs: 6501 },
  ]);
});

Deno.test("EdgeHealth keeps an edge that fails once in a while", () => {
  let count = 0;
  assertEquals(run(() => count++ % 3 !== 2), []);
});

Deno.test("EdgeHealth takes an edge out at once when it fails its first check", () => {
  const [first] = run(() => false, { takesMs: 300 });
  assertEquals(first, {
    change: {
      ...{ kind: "failed", misses: 1, reason: "no answer" },
      ...{ silentMs: 300, hasPassed: false },
    },
    atMs: 300,
  });
});

Deno.test("EdgeHealth has a dead edge out within two intervals, whenever it dies and however slow the checks are", () => {
  const rng = seededRng(44);
  for (let round = 0; round < 500; round++) {
    const rules = {
      intervalMs: 100 + Math.floor(rng() * 5000),
      fall: 1 + Math.floor(rng() * 5),
      rise: 1 + Math.floor(rng() * 5),
    };
    const diesAtMs = rules.intervalMs * (1 + 3 * rng());
    const [failed] = run((atMs) => atMs < diesAtMs, {
      rules,
      takesMs: rng() * longestTimeoutMs(rules),
      untilMs: 8 * rules.intervalMs,
    });
    assert(failed?.change.kind === "failed");
    assert(failed.atMs - diesAtMs <= 2 * rules.intervalMs, `round ${round}`);
    assertEquals(failed.change.misses, rules.fall);
  }
});

Deno.test("EdgeHealth is back after `rise` checks in a row, not before", () => {
  const rules = { intervalMs: 1000, fall: 1, rise: 3 };
  // passes twice, fails, passes for good
  const changes = run(
    (atMs) => atMs === 0 || (atMs > 2500 && atMs < 4500) || atMs > 5500,
    { rules },
  );
  assertEquals(changes.map(({ change, atMs }) => [change.kind, atMs]), [
    ["failed", 1000],
    ["recovered", 8000],
  ]);
});

Deno.test("EdgeHealth does nothing before it is due", () => {
  const health = new EdgeHealth(RULES, 500);
  assertEquals(health.handle({ kind: "timeout" }, 499), []);
  assertEquals(health.deadlineMs, 500);
});
