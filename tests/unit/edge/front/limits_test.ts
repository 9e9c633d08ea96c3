import { assert, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../../../lib/core/errors.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import type { HttpResponse } from "../../../../lib/io/http.ts";
import { Limits } from "../../../../roles/edge/front/limits.ts";
import { requestOf } from "../../../support/http_exchange.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

const RATE = 400_000;
const BYTES = 1.3 * RATE;

/** Downloads through `limits` at once, one for each host; returns when how much had come. */
async function download(limits: Limits, clock: ManualClock, hosts: string[]) {
  const came: { atMs: number; host: string; bytes: number }[] = [];
  const answer: HttpResponse = {
    status: 200,
    headers: new Fields(),
    body: new Uint8Array(BYTES),
  };
  const all = Promise.all(hosts.map(async (host) => {
    const request = requestOf("/", { remote: { host, port: 1 } });
    const { body } = limits.apply(request, answer);
    assert(body !== null && !(body instanceof Uint8Array));
    for (;;) {
      const piece = await body.next(65_536);
      if (piece === null) return;
      came.push({ atMs: clock.nowMs(), host, bytes: piece.length });
    }
  }));
  await clock.advanceTo(6000);
  await all;
  return came;
}

/** The most and the least that came in any second after the first 0 ms and before the end. */
function anySecond(
  came: readonly { readonly atMs: number; readonly bytes: number }[],
): { readonly least: number; readonly most: number } {
  const endMs = came.at(-1)!.atMs;
  let least = Infinity;
  let most = 0;
  for (let fromMs = 0; fromMs + 1000 <= endMs; fromMs += 25) {
    let bytes = 0;
    for (const each of came) {
      if (each.atMs >= fromMs && each.atMs < fromMs + 1000) bytes += each.bytes;
    }
    least = Math.min(least, bytes);
    most = Math.max(most, bytes);
  }
  return { least, most };
}

Deno.test("Limits keeps each client within 5 % of its rate over any second", async () => {
  const clock = new ManualClock();
  const limits = new Limits({ total: undefined, perClient: RATE }, clock);
  const came = await download(limits, clock, ["192.0.2.1", "192.0.2.2"]);
  for (const host of ["192.0.2.1", "192.0.2.2"]) {
    const { least, most } = anySecond(came.filter((e) => e.host === host));
    assert(least >= 0.95 * RATE && most <= 1.05 * RATE, `${least} ${most}`);
  }
});

Deno.test("Limits keeps all clients together within 5 % of the total, and shares it", async () => {
  const clock = new ManualClock();
  const limits = new Limits({ total: RATE, perClient: 0.75 * RATE }, clock);
  const came = await download(limits, clock, ["192.0.2.1", "192.0.2.2"]);
  const { least, most } = anySecond(came);
  assert(least >= 0.95 * RATE && most <= 1.05 * RATE, `${least} ${most}`);
  const half = came.filter(({ atMs }) => atMs < 1000);
  const mine = half.filter(({ host }) => host === "192.0.2.1")
    .reduce((sum, { bytes }) => sum + bytes, 0);
  assert(Math.abs(mine - 0.5 * RATE) < 0.05 * RATE, String(mine));
  assertEquals(limits.clientBytesPerSecond, 0.75 * RATE);
});

Deno.test("Limits refuses a rate of 0", () => {
  assertThrows(
    () => new Limits({ total: 0, perClient: undefined }, new ManualClock()),
    InputError,
  );
});
