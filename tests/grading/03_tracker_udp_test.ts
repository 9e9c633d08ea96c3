/**
 * Lesson 3, BitTorrent: the tracker over UDP (BEP 15), which is beyond what the lesson asks.
 *
 *     ROLECALL_TARGET=udp://127.0.0.1:6969 deno test -A tests/grading/03_tracker_udp_test.ts
 */
import { assert, assertEquals } from "@std/assert";
import { givenTarget, graded, type Target, target } from "./_target.ts";
import { peerIdOf, readCompact, SWARMS } from "./_swarms.ts";

const isOverUdp = !(givenTarget() ?? "").startsWith("http");

/** BEP 15: numbers are of 4 bytes, but for the connection id of 8. */
const UDP_MAGIC = [0x417, 0x27101980];
const ACTION = { connect: 0, announce: 1, scrape: 2, error: 3 };

/** Sends requests over UDP and waits for the answers to them. */
class UdpAsker implements Disposable {
  readonly #socket = Deno.listenDatagram({
    ...{ transport: "udp", hostname: "0.0.0.0", port: 0 },
  });
  readonly #to: Deno.NetAddr;
  #transaction = 1000;

  constructor({ host, port }: Target) {
    this.#to = { transport: "udp", hostname: host, port };
  }

  /** Sends a request; returns its transaction id. */
  async send(
    [high, low]: readonly number[],
    action: number,
    rest: readonly number[],
  ): Promise<number> {
    const transaction = this.#transaction++;
    const head = new DataView(new ArrayBuffer(16));
    [high!, low!, action, transaction].forEach((number, at) =>
      head.setUint32(4 * at, number)
    );
    const bytes = Uint8Array.from([...new Uint8Array(head.buffer), ...rest]);
    await this.#socket.send(bytes, this.#to);
    return transaction;
  }

  /** Asks, and returns the answer that has the same transaction id. */
  async ask(
    connectionId: readonly number[],
    action: number,
    rest: readonly number[],
  ): Promise<{ readonly action: number; readonly view: DataView }> {
    const transaction = await this.send(connectionId, action, rest);
    for (;;) {
      const [answer] = await this.#socket.receive();
      const view = new DataView(answer.slice().buffer);
      if (view.byteLength < 8 || view.getUint32(4) !== transaction) continue;
      return { action: view.getUint32(0), view };
    }
  }

  /** The connection id that the tracker gives. */
  async connect(): Promise<readonly number[]> {
    const { action, view } = await this.ask(UDP_MAGIC, ACTION.connect, []);
    assertEquals([action, view.byteLength], [ACTION.connect, 16]);
    return [view.getUint32(8), view.getUint32(12)];
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function udpAnnounce(infoHash: Uint8Array, port: number): number[] {
  const eight = [0, 0, 0, 0, 0, 0, 0, 0];
  return [
    ...[...infoHash, ...peerIdOf(port)],
    ...[...eight, 0, 0, 0, 0, 0, 0, 3, 232, ...eight],
    // event=started, no address, no key, as many as there are.
    ...[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255],
    ...[port >> 8, port & 255],
  ];
}

function udp(name: string, run: (asker: UdpAsker) => Promise<void>): void {
  graded(`udp tracker: ${name}`, async () => {
    await using server = await target(["tracker"]);
    using asker = new UdpAsker(server);
    await run(asker);
  }, { extra: true, ignore: !isOverUdp });
}

udp("connect is answered with a connection id", async (asker) => {
  await asker.connect();
});

udp("the second peer is told of the first", async (asker) => {
  const id = await asker.connect();
  const infoHash = SWARMS.datagrams;
  await asker.ask(id, ACTION.announce, udpAnnounce(infoHash, 7501));
  const { action, view } = await asker.ask(
    ...[id, ACTION.announce, udpAnnounce(infoHash, 7502)] as const,
  );
  assertEquals(action, ACTION.announce);
  assert(view.getUint32(8) > 0, "interval in seconds");
  const peers = readCompact(new Uint8Array(view.buffer.slice(20)));
  assert(peers.some(({ port }) => port === 7501), "port 7501 is missing");
});

udp("a datagram that is too short does not end the tracker", async (asker) => {
  const id = await asker.connect();
  // An announce that ends behind its head gets an error, or nothing.
  await asker.send(id, ACTION.announce, [1, 2, 3]);
  await asker.connect();
});
