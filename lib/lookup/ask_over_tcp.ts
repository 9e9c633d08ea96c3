import { frameMessage, MessageDecoder } from "../dns/stream.ts";
import type { Address, TcpConnection } from "../io/net.ts";
import type { RoleContext } from "../role.ts";

const READ_BYTES = 16_384;

/**
 * Sends one message to a name server over a TCP connection of its own, and gives out each message that comes back until
 * the server closes or `signal` aborts (RFC 7766).
 *
 * @throws {RunError} `connect-failed`, `connect-timeout`, `connection-lost`, also when `signal` aborts.
 */
export async function askOverTcp(
  message: Uint8Array,
  { to, net, connectTimeoutMs, signal, received }: {
    readonly to: Address;
    readonly net: RoleContext["net"];
    readonly connectTimeoutMs: number;
    readonly signal: AbortSignal;
    readonly received: (message: Uint8Array) => void;
  },
): Promise<void> {
  let connection: TcpConnection | undefined;
  const close = () => connection?.[Symbol.dispose]();
  signal.addEventListener("abort", close, { once: true });
  try {
    const options = { timeoutMs: connectTimeoutMs, signal };
    connection = await net.connectTcp(to, options);
    await connection.write(frameMessage(message));
    const decoder = new MessageDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      for (const bytes of decoder.push(buffer.subarray(0, count))) {
        received(bytes.slice());
      }
    }
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
