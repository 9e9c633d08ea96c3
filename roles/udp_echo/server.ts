import { formatHostPort } from "../../lib/core/address.ts";
import { upperCase, upperCaseStrict } from "../../lib/core/upper_case.ts";
import { EchoLog } from "../../lib/echo/log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { AnswerQueue } from "./answer_queue.ts";

/** The lecture's server reads `recvfrom(2048)`: what is longer loses its end, and nobody is told. */
const LECTURE_READ_BYTES = 2048;

/** No connection, no state: each datagram is a whole question, and its answer goes to whoever sent it. */
export async function serveUdpEcho(
  flags: {
    readonly host: string;
    readonly port: number;
    readonly loss: number;
    readonly delay: number;
    readonly faithful: boolean;
  },
  ctx: RoleContext,
): Promise<void> {
  await using socket = ctx.net.listenUdp(flags);
  await using log = new EchoLog(ctx);
  await using queue = new AnswerQueue({ socket, log, ctx });
  ctx.emit({
    type: "role.listening",
    transport: "udp",
    host: socket.host,
    port: socket.port,
  });
  for await (const { bytes, host, port } of socket.receive(ctx.signal)) {
    if (flags.loss > 0 && ctx.rng() < flags.loss) {
      log.add({
        type: "echo.dropped",
        remote: formatHostPort({ host, port }),
        receivedBytes: bytes.length,
        reason: "loss",
      });
      continue;
    }
    const answer = flags.faithful
      ? upperCaseStrict(bytes.subarray(0, LECTURE_READ_BYTES))
      : upperCase(bytes);
    await queue.send(answer, {
      to: { host, port },
      receivedBytes: bytes.length,
      delayMs: flags.delay,
    });
  }
}
