import { assertEquals } from "@std/assert";
import type { Machine } from "../../../lib/core/machine.ts";
import type { LinkInput } from "../../../lib/dns/mdns/service.ts";
import { driveOnLink } from "../../../lib/roster/drive_on_link.ts";
import { ManualClock } from "../../support/manual_clock.ts";

Deno.test("driveOnLink starts a machine again when this machine has joined another network, and only then", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const performed: string[] = [];
  const machine: Machine<LinkInput, { readonly kind: string }> = {
    deadlineMs: Infinity,
    handle: ({ kind }, nowMs) =>
      kind === "start" ? [{ kind: `start ${nowMs}` }] : [],
  };
  const isNew = [false, true, false];
  let looks = 0;
  const running = driveOnLink(machine, {
    socket: {
      // deno-lint-ignore require-yield -- nobody says anything
      async *receive(signal) {
        await new Promise((end) => signal.addEventListener("abort", end));
      },
      renew: () => Promise.resolve(isNew[looks++]!),
    },
    perform: ({ kind }) => void performed.push(kind),
    ...{ clock, signal: stop.signal },
  });
  for (let nowMs = 1000; nowMs <= 31_000; nowMs += 1000) {
    await clock.advanceTo(nowMs);
  }
  stop.abort();
  await running;
  assertEquals(performed, ["start 0", "start 20000"]);
  assertEquals(looks, 3);
});
