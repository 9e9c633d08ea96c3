import { counted, formatMs } from "../../../lib/core/units.ts";
import type { Check } from "./stage.ts";

/** What a scenario promised and what was measured; the measurement on a line of its own where the whole does not fit into `columns`. */
export function closingTable(
  checks: readonly Check[],
  tookMs: number,
  columns: number,
): string {
  const width = Math.max(0, ...checks.map(({ check }) => check.length));
  const held = checks.filter((check) => check.held).length;
  const begin = (row: Check) =>
    `${row.held ? "✓" : "✗"} ${row.act.padEnd(12)} `;
  const wide = checks.map((row) =>
    `${begin(row)}${row.check.padEnd(width)}  ${row.measured}`
  );
  const fits = wide.every((line) => [...line].length <= columns);
  return [
    "",
    ...fits
      ? wide
      : checks.map((row) =>
        `${begin(row)}${row.check}\n${" ".repeat(17)}${row.measured}`
      ),
    "",
    `${held} of ${counted(checks.length, "check")} held, ${formatMs(tookMs)}`,
    "",
  ].join("\n");
}
