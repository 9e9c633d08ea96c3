import { formatHostPort, isIpv6 } from "../../core/address.ts";
import { counted } from "../../core/units.ts";
import { RunError } from "../../core/errors.ts";
import { KnownAddresses } from "../known_addresses.ts";
import { type Datagram, MAX_ANSWER_BYTES, type UdpSocket } from "../net.ts";
import { addressOf } from "./address.ts";
import { closer } from "./close.ts";
import { systemError } from "./errors.ts";
import { Turns } from "./turns.ts";
import { DatagramBatch } from "./udp_batch.ts";

/** Of engine `batch`: datagrams that come within so long of each other are waited for on the spot, which saves Deno's ways of waiting. */
const SOON_MS = 1;
/** After so many at once it looks so often for the next ones (about 30 µs) before it waits: to be woken costs both sides more, on a virtual machine above all. */
const MANY = 8;
const LOOKS = 40;
/** After so long on the spot all else that the program does gets a turn. */
const TURN_MS = 2;

/** The largest datagram of either family with its header left in. Deno's own buffer holds 65,507 bytes and would cut a larger one (IPv6: up to 65,527) without a word. */
const DATAGRAM_BUFFER_BYTES = 65_535;

/** Wraps a socket of Deno's; `hostname` is what it was bound to. */
export function udpSocket(
  socket: Deno.DatagramConn,
  hostname: string,
): UdpSocket {
  const close = closer(socket);
  const ownFamilyIs6 = isIpv6(hostname);
  return {
    ...addressOf(socket.addr),
    async *receive(signal) {
      signal.addEventListener("abort", close, { once: true });
      // Kept, and each datagram copied out: clearing 64 KiB for each cost more than all the rest of an answer.
      const buffer = new Uint8Array(DATAGRAM_BUFFER_BYTES);
      try {
        while (!signal.aborted) {
          let received: [Uint8Array, Deno.Addr];
          try {
            received = await socket.receive(buffer);
          } catch (error) {
            if (error instanceof Deno.errors.BadResource || signal.aborted) {
              return;
            }
            continue; // An ICMP error of an earlier send: the socket is as good as before.
          }
          yield { bytes: received[0].slice(), ...addressOf(received[1]) };
        }
      } finally {
        signal.removeEventListener("abort", close);
      }
    },
    async serve(answer, signal, { cannotBatch } = {}) {
      using batch = batchOf(socket, cannotBatch);
      await serveDatagrams(socket, { answer, signal, batch });
    },
    async send(bytes, to) {
      // A dual-stack socket speaks to IPv4 hosts by their mapped address.
      const mapped = ownFamilyIs6 && /^\d+\./.test(to.host)
        ? `::ffff:${to.host}`
        : to.host;
      try {
        await socket.send(bytes, {
          transport: "udp",
          hostname: mapped,
          port: to.port,
        });
      } catch (error) {
        throw new RunError(
          "send-failed",
          systemError(
            `send ${counted(bytes.length, "byte")} to ${formatHostPort(to)}`,
            error,
          )
            .message,
          { cause: error },
        );
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

/**
 * See {@linkcode UdpSocket.serve}: no promise, copy or iterator step beside the two system calls of each datagram; with a
 * `batch`, fewer than these.
 */
export async function serveDatagrams(
  socket: Deno.DatagramConn,
  { answer, signal, batch }: {
    readonly answer: (datagram: Datagram, reply: Uint8Array) => number;
    readonly signal: AbortSignal;
    readonly batch: DatagramBatch | null;
  },
): Promise<void> {
  const close = closer(socket);
  signal.addEventListener("abort", close, { once: true });
  const buffer = new Uint8Array(DATAGRAM_BUFFER_BYTES);
  const reply = new Uint8Array(MAX_ANSWER_BYTES);
  const addresses = new KnownAddresses();
  using turns = batch === null ? null : new Turns();
  let isAnswering = false;
  let lastMs = -Infinity;
  while (!signal.aborted) {
    try {
      const [bytes, from] = await socket.receive(buffer);
      const { hostname, port } = from as Deno.NetAddr;
      const address = addresses.bytesOf(hostname);
      isAnswering = true;
      const count = answer({ bytes, address, port }, reply);
      isAnswering = false;
      if (count > 0) await socket.send(reply.subarray(0, count), from);
      if (batch === null || turns === null) continue;
      isAnswering = true;
      const nowMs = performance.now();
      const isBusy = nowMs - lastMs < SOON_MS;
      lastMs = nowMs;
      if (isBusy) await answerWhileBusy(batch, { answer, turns, signal });
      else if (!signal.aborted) batch.answerAll(answer);
      isAnswering = false;
    } catch (error) {
      if (isAnswering) throw error;
      if (signal.aborted || error instanceof Deno.errors.BadResource) break;
      // Else an ICMP error of an earlier answer, or the asker's network has gone: no reason to stop serving the others.
    }
  }
  signal.removeEventListener("abort", close);
}

/** Answers until no datagram has come for {@linkcode SOON_MS}. */
async function answerWhileBusy(
  batch: DatagramBatch,
  { answer, turns, signal }: {
    readonly answer: (datagram: Datagram, reply: Uint8Array) => number;
    readonly turns: Turns;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  let turnAtMs = performance.now() + TURN_MS;
  let looks = 0;
  while (!signal.aborted) {
    const count = batch.answerAll(answer);
    if (count >= MANY) looks = LOOKS;
    else if (count === 0 && looks-- <= 0 && !batch.wait(SOON_MS)) return;
    if (performance.now() < turnAtMs) continue;
    await turns.next();
    turnAtMs = performance.now() + TURN_MS;
  }
}

function batchOf(
  socket: Deno.DatagramConn,
  cannotBatch: ((reason: string) => void) | undefined,
): DatagramBatch | null {
  if (cannotBatch === undefined) return null;
  try {
    return DatagramBatch.of(addressOf(socket.addr).port);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    cannotBatch(error.message);
    return null;
  }
}
