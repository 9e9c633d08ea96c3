import { assertEquals } from "@std/assert";
import { serveDatagrams } from "../../lib/io/deno/udp.ts";
import { DatagramBatch } from "../../lib/io/deno/udp_batch.ts";

/** Serves on `hostname` while `use` asks; answers with the datagram's bytes and the sender's address, nothing to "-". */
async function echoing(
  hostname: string,
  batched: boolean,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  using batch = batched ? DatagramBatch.of(port) : null;
  const stop = new AbortController();
  const serving = serveDatagrams(socket, {
    answer: ({ bytes, address }, reply) => {
      if (bytes[0] === 0x2d) return 0;
      reply.set(bytes);
      reply.set(address, bytes.length);
      return bytes.length + address.length;
    },
    signal: stop.signal,
    batch,
  });
  try {
    await use(port);
  } finally {
    stop.abort();
    await serving;
  }
}

for (const batched of [true, false]) {
  const how = batched ? "32 at a time" : "one by one";
  for (
    const [hostname, from, address] of [
      ["127.0.0.1", "127.0.0.1", [127, 0, 0, 1]],
      ["::", "127.0.0.1", [127, 0, 0, 1]],
      ["::", "::1", [...new Array(15).fill(0), 1]],
    ] as const
  ) {
    Deno.test(`UdpSocket.serve answers ${from} at ${hostname}, ${how}`, async () => {
      await echoing(hostname, batched, async (port) => {
        const client = Deno.listenDatagram({
          ...{ transport: "udp", hostname: from, port: 0 },
        });
        const to = { transport: "udp", hostname: from, port } as const;
        const count = 150;
        for (let round = 0; round < 4; round++) {
          for (let at = 0; at < count; at++) {
            // Every third is not answered; lengths differ.
            const question = new Uint8Array(2 + at % 90).fill(at);
            question[0] = at % 3 === 0 ? 0x2d : 0x41;
            await client.send(question, to);
          }
          const seen = new Set<number>();
          while (seen.size < count * 2 / 3) {
            const [bytes] = await client.receive();
            const length = bytes.length - address.length;
            assertEquals(bytes.subarray(length), Uint8Array.from(address));
            const at = bytes[1]!;
            assertEquals(length, 2 + at % 90);
            seen.add(at);
          }
        }
        client.close();
      });
    });
  }
}
