import { utf8 } from "../../lib/core/bytes.ts";
import { LineSplitter } from "../../lib/core/line_splitter.ts";
import { textOfBytes } from "../../lib/core/upper_case.ts";
import { type EchoChannel, runEchoClient } from "../../lib/echo/client.ts";
import type { EchoClientFlags } from "../../lib/echo/client_flags.ts";
import type { TcpConnection } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import { fourTuple } from "./four_tuple.ts";

/** A longer line of the server is taken in pieces. */
const MAX_LINE_BYTES = 2 ** 20;

/** Asks an echo server over TCP: first a connection, then a line goes out and a line comes back. */
export async function runTcpClient(
  flags: EchoClientFlags,
  ctx: RoleContext,
): Promise<void> {
  using connection = await ctx.net.connectTcp(flags.connect!, {
    timeoutMs: flags.timeout,
    signal: ctx.signal,
  });
  connection.setNoDelay(true);
  ctx.emit({ type: "connection.established", ...fourTuple(connection) });
  const channel: EchoChannel = {
    remote: connection.remote,
    send: (message) => connection.write(utf8(`${message}\n`)),
    replies: repliesOf(connection),
    isReliable: true,
  };
  const messages = flags.message?.split("\n");
  await runEchoClient(channel, { ...flags, messages }, ctx);
}

/** The server's lines, without their ends; what it sent before it closed counts as a line, too. */
async function* repliesOf(
  connection: TcpConnection,
): AsyncGenerator<string, void> {
  const splitter = new LineSplitter({ maxBytes: MAX_LINE_BYTES });
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await connection.read(buffer);
    const lines = count === null
      ? [splitter.end()].filter((rest) => rest.length > 0)
      : splitter.push(buffer.subarray(0, count));
    for (const line of lines) yield textOfBytes(line).replace(/\n$/, "");
    if (count === null) return;
  }
}
