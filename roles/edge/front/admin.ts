import { counted } from "../../../lib/core/units.ts";
import { PAGE_STYLE } from "../../../lib/report/page_style.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type {
  EdgeGauges,
  EdgeMetrics,
  TierGauges,
} from "../account/metrics.ts";
import type { Players } from "../account/players.ts";
import type { Purger } from "./purge.ts";

/** How an edge stands. */
export interface EdgeState {
  readonly metrics: EdgeMetrics;
  readonly gauges: EdgeGauges;
}

/** What an edge shows at `--admin`: its metrics, a page of its players and origins, and the way to purge. */
export function addAdmin(
  ctx: RoleContext,
  parts: {
    /** How things stand. */
    readonly look: () => EdgeState | Promise<EdgeState>;
    readonly players: Players;
    readonly purger: Purger;
  },
): void {
  const { look, players, purger } = parts;
  const status = async () => {
    const { metrics, gauges } = await look();
    const hitRatio = metrics.hitRatio();
    return {
      name: ctx.name,
      hitRatio,
      ...gauges,
      players: players.playing(),
    };
  };
  ctx.admin.addMetrics(async () => {
    const { metrics, gauges } = await look();
    return metrics.text(gauges) + players.metrics();
  });
  ctx.admin.addPage("/purge", (request) => purger.answerAdmin(request));
  ctx.admin.addPage("/status", async () => Response.json(await status()));
  ctx.admin.addPage("/", async () =>
    new Response(page(await status()), {
      headers: {
        "content-type": "text/html; charset=utf-8",
        // Names come from others: nothing in them may run.
        "content-security-policy":
          "default-src 'none'; style-src 'unsafe-inline'",
        "cache-control": "no-store",
      },
    }));
}

/** A page that loads itself again every two seconds. */
function page(
  status: EdgeGauges & {
    readonly name: string;
    readonly hitRatio: number;
    readonly players: ReturnType<Players["playing"]>;
  },
): string {
  const { players, origins, disk } = status;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width">
<title>${text(status.name)}</title>
<style>${PAGE_STYLE}
.scroll { overflow-x: auto; margin-bottom: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; color: var(--muted); }
.bad { color: var(--warn); font-weight: 600; }
</style>
<main>
<h1>${text(status.name)}</h1>
<p>Hit ratio ${(100 * status.hitRatio).toFixed(1)} %, ${tierLine(status)}.${
    disk === undefined ? "" : ` On the disk ${tierLine(disk)}.`
  }</p>
<h2>Origins</h2>
${
    table(
      ["Origin", "State", "Under way", "Waiting"],
      origins.map(({ origin, up, active, waiting }) => [
        origin,
        up ? "asked" : "suspended",
        String(active),
        String(waiting),
      ]),
    )
  }
<h2>Players that say how they do (CMCD)</h2>
${
    players.length === 0 ? "<p>None in the last minute.</p>" : table(
      ["Player", "From", "Buffer, s", "Rate, kbit/s", "Measured, kbit/s"]
        .concat(["Stalls", "Requests"]),
      players.map((player) => [
        player.id,
        player.remote,
        number(player.bufferMs, 1000, 1),
        number(player.bitsPerSecond, 1000, 0),
        number(player.throughputBitsPerSecond, 1000, 0),
        String(player.stalls),
        String(player.requests),
      ]),
    )
  }
</main>
</html>
`;
}

function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${
      row.map((cell) =>
        `<${tag}${cell === "suspended" ? ' class="bad"' : ""}>${
          text(cell)
        }</${tag}>`
      ).join("")
    }</tr>`;
  return `<div class="scroll"><table>${cells("th", heads)}${
    rows.map((row) => cells("td", row)).join("\n")
  }</table></div>`;
}

function tierLine(
  { objects, usedBytes, capacityBytes, evictions }: TierGauges,
): string {
  return `${counted(objects, "object")} in ${mebibytes(usedBytes)} of ${
    mebibytes(capacityBytes)
  } MiB, ${evictions} evicted`;
}

function number(
  value: number | undefined,
  unit: number,
  digits: number,
): string {
  return value === undefined ? "–" : (value / unit).toFixed(digits);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
