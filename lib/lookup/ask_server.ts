import { anyAddressOf, familyOf } from "../core/address.ts";
import { messageOf, type ProtocolError, RunError } from "../core/errors.ts";
import type { StubAnswer, StubInput, StubQuery } from "../dns/stub_query.ts";
import { drive } from "../io/drive.ts";
import { Inbox } from "../io/inbox.ts";
import { LinkedAbort } from "../io/linked_abort.ts";
import type { Address, UdpSocket } from "../io/net.ts";
import type { RoleContext } from "../role.ts";
import { askOverTcp } from "./ask_over_tcp.ts";

/** Longest wait for a TCP connection; the question has its own time, and ends it. */
const CONNECT_TIMEOUT_MS = 60_000;

type World = Pick<RoleContext, "clock" | "net" | "signal">;

/** Where a conversation with a server stands. */
interface Conversation {
  readonly server: Address;
  readonly inbox: Inbox<StubInput>;
  readonly signal: AbortSignal;
}

/**
 * Asks a name server over UDP and, for what does not fit into a datagram or when the question says so, over TCP.
 *
 * @param options.from Address to ask from; "" is whatever the system takes.
 * @return The answer, or why there is none; undefined if `ctx.signal` aborts first.
 */
export async function askServer(
  query: StubQuery,
  { server, from, ctx }: {
    readonly server: Address;
    readonly from: string;
    readonly ctx: World;
  },
): Promise<StubAnswer | ProtocolError | undefined> {
  const inbox = new Inbox<StubInput>();
  inbox.push({ kind: "start" });
  using over = new LinkedAbort(ctx.signal);
  const conversation = { server, inbox, signal: over.signal };
  await using socket = ctx.net.listenUdp({
    host: from !== "" ? from : anyAddressOf(familyOf(server.host)),
    port: 0,
  });
  const talks = [receive(socket, conversation)];
  let result: StubAnswer | ProtocolError | undefined;
  await drive(query, inbox, async (output) => {
    if (output.kind === "send" && output.transport === "udp") {
      await socket.send(output.bytes, server).catch((error) => {
        // Unreachable for now: the question asks again, or gives up in time.
        if (!(error instanceof RunError)) throw error;
        inbox.push({ kind: "disconnected", reason: error.message });
      });
    } else if (output.kind === "send") {
      talks.push(talk(output.bytes, conversation, ctx));
    } else {
      result = output.kind === "answered" ? output.answer : output.error;
      inbox.close();
    }
  }, { clock: ctx.clock, signal: ctx.signal });
  over.abort();
  await Promise.all(talks);
  return result;
}

/** What comes from the server; what others send to our port is dropped. */
async function receive(
  socket: UdpSocket,
  { server, inbox, signal }: Conversation,
): Promise<void> {
  for await (const { bytes, host, port } of socket.receive(signal)) {
    if (host !== server.host || port !== server.port) continue;
    inbox.push({ kind: "message", bytes });
  }
}

/** One message over one TCP connection. */
async function talk(
  message: Uint8Array,
  { server, inbox, signal }: Conversation,
  { net }: World,
): Promise<void> {
  let reason: string | undefined;
  try {
    await askOverTcp(message, {
      ...{ to: server, net, signal },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      received: (bytes) => inbox.push({ kind: "message", bytes }),
    });
  } catch (error) {
    if (!signal.aborted && !(error instanceof RunError)) throw error;
    reason = messageOf(error);
  }
  inbox.push({ kind: "disconnected", ...reason && { reason } });
}
