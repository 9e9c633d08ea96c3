import type { Machine } from "../core/machine.ts";
import type { LinkInput } from "../dns/mdns/service.ts";
import type { Clock } from "../io/clock.ts";
import { drive } from "../io/drive.ts";
import type { MulticastSocket } from "../io/net.ts";

/** How often it is looked whether this machine has joined another network. */
const LOOK_MS = 10_000;

/** What {@linkcode driveOnLink} needs. */
interface LinkOptions<Out> {
  readonly socket: Pick<MulticastSocket, "receive" | "renew">;
  readonly perform: (output: Out) => Promise<void> | void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Drives a machine by what a group's members say, until `signal` aborts. It is started again when this machine joins
 * another network, such as a laptop that finds its Wi-Fi late: nobody there has heard it yet.
 */
export async function driveOnLink<Out extends object>(
  machine: Machine<LinkInput, Out>,
  { socket, perform, clock, signal }: LinkOptions<Out>,
): Promise<void> {
  const start = async () => {
    for (const output of machine.handle({ kind: "start" }, clock.nowMs())) {
      await perform(output);
    }
  };
  let lookAtMs = clock.nowMs() + LOOK_MS;
  const looking: Machine<LinkInput, Out | "look"> = {
    get deadlineMs() {
      return Math.min(machine.deadlineMs, lookAtMs);
    },
    handle(input, nowMs) {
      const outputs = machine.handle(input, nowMs);
      if (nowMs < lookAtMs) return outputs;
      lookAtMs = nowMs + LOOK_MS;
      return [...outputs, "look"];
    },
  };
  async function* inputs(): AsyncGenerator<LinkInput> {
    for await (const { bytes, host, port } of socket.receive(signal)) {
      yield { kind: "datagram", bytes, from: { host, port } };
    }
  }
  await start();
  await drive<LinkInput, Out | "look">(looking, inputs(), async (output) => {
    if (output !== "look") await perform(output);
    else if (await socket.renew()) await start();
  }, { clock, signal });
}
