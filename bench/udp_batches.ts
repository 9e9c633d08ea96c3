/**
 * Datagrams to a server on this machine, up to 64 a system call (sendmmsg, recvmmsg through FFI, Linux on 64 bits): a load
 * that costs less than any server takes.
 */
const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
  },
}).symbols;

/** Most datagrams of a system call. */
export const BATCH = 64;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/** Room for a batch: the datagrams, and what the system calls want to know of them (struct mmsghdr, struct iovec). */
class Batch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly heads: Uint8Array<ArrayBuffer>;
  readonly #lengths: Uint32Array;

  constructor(slotBytes: number) {
    this.bytes = new Uint8Array(BATCH * slotBytes);
    this.view = new DataView(this.bytes.buffer);
    const vectors = new BigUint64Array(2 * BATCH);
    const heads = new BigUint64Array(8 * BATCH);
    for (let at = 0; at < BATCH; at++) {
      vectors[2 * at] = addressOf(this.bytes) + BigInt(at * slotBytes);
      vectors[2 * at + 1] = BigInt(slotBytes);
      heads[8 * at + 2] = addressOf(vectors) + BigInt(16 * at);
      heads[8 * at + 3] = 1n;
    }
    this.#lengths = new Uint32Array(vectors.buffer);
    this.heads = new Uint8Array(heads.buffer);
  }

  /** Says how long the datagram in a slot is. */
  setLength(slot: number, length: number): void {
    this.#lengths[4 * slot + 2] = length;
  }
}

/** A socket that is connected to a port of 127.0.0.1, with room for a batch each way; slot n of it begins at n times `slotBytes`. */
export class UdpBatches {
  readonly sending: Batch;
  readonly receiving: Batch;
  readonly #socket = libc.socket(AF_INET, SOCK_DGRAM, 0);

  /** @param options.patienceMs How long {@linkcode UdpBatches.receive} waits for a first datagram. */
  constructor(
    port: number,
    { slotBytes, patienceMs }: {
      readonly slotBytes: number;
      readonly patienceMs: number;
    },
  ) {
    this.sending = new Batch(slotBytes);
    this.receiving = new Batch(slotBytes);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1]);
    if (libc.connect(this.#socket, address, 16) !== 0) {
      throw new Error("connect");
    }
    const timeout = BigInt64Array.of(0n, BigInt(patienceMs) * 1000n);
    const bytes = new Uint8Array(timeout.buffer);
    libc.setsockopt(this.#socket, SOL_SOCKET, SO_RCVTIMEO, bytes, 16);
  }

  /** Sends the first `count` slots; returns how many were sent. */
  send(count: number): number {
    return Math.max(
      0,
      libc.sendmmsg(this.#socket, this.sending.heads, count, 0),
    );
  }

  /** Receives what is there, waiting for a first one; returns how many came, 0 or less if none did. */
  receive(): number {
    return this.#receive(MSG_WAITFORONE);
  }

  /** Receives what is there now. */
  receiveNow(): number {
    return this.#receive(MSG_DONTWAIT);
  }

  #receive(flags: number): number {
    const { heads } = this.receiving;
    return libc.recvmmsg(this.#socket, heads, BATCH, flags, null);
  }
}

function addressOf(array: Uint8Array | BigUint64Array): bigint {
  return BigInt(
    Deno.UnsafePointer.value(
      Deno.UnsafePointer.of(array as Uint8Array<ArrayBuffer>),
    ),
  );
}
