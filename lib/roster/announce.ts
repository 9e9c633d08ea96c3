import {
  formatHostPort,
  isAddress,
  isIpv6,
  isLoopback,
} from "../core/address.ts";
import {
  MdnsResponder,
  type ResponderOutput,
  withoutFlush,
} from "../dns/mdns/responder.ts";
import {
  addressRecords,
  MDNS_GROUP,
  type Service,
} from "../dns/mdns/service.ts";
import { encodeMessage } from "../dns/message.ts";
import { toHex } from "../core/bytes.ts";
import { secretBytes, secretRng } from "../io/hash.ts";
import type { Address, MulticastSocket } from "../io/net.ts";
import { driveOnLink } from "./drive_on_link.ts";
import type { RosterRun, RosterSocket } from "./run.ts";

/** What is told of a role. */
interface Told {
  readonly sockets: readonly RosterSocket[];
  readonly admin: Address | undefined;
}

/**
 * Answers for a role on the link, by mDNS, until `signal` aborts; then says goodbye.
 *
 * @throws {RunError} If no interface takes multicast, or port 5353 cannot be shared.
 */
export async function announce(
  run: RosterRun,
  told: Told & { readonly signal: AbortSignal },
): Promise<void> {
  const { clock, net, emit } = run;
  const { signal } = told;
  const host = hostOf(told);
  const responder = new MdnsResponder(serviceOf(run, told), secretRng());
  await using socket = await net.joinMulticast(MDNS_GROUP, {
    // Of 127/8 only the first has an interface of its name.
    host: isLoopback(host) ? "127.0.0.1" : host,
    fromGroupPort: true,
  });
  let toldLabel = "";
  const perform = async (output: ResponderOutput) => {
    if (output.kind !== "named") {
      return await send(output, { socket, responder, host });
    }
    if (output.label === toldLabel) return; // It has only joined another network.
    toldLabel = output.label;
    emit({ type: "role.announced", instance: output.label });
  };
  await driveOnLink(responder, { socket, perform, clock, signal });
  for (const output of responder.handle({ kind: "stop" }, clock.nowMs())) {
    await perform(output);
  }
}

/** The service that a role is. */
function serviceOf(run: RosterRun, { sockets, admin }: Told): Service {
  const texts = new Map([
    ["txtvers", "1"],
    ["role", run.role],
    ["name", run.name],
    ["version", run.version],
  ]);
  for (const { transport, port } of sockets) {
    if (!texts.has(transport)) texts.set(transport, `${port}`);
  }
  if (admin !== undefined) texts.set("admin", formatHostPort(admin));
  return {
    label: run.name,
    hostLabel: `rolecall-${toHex(secretBytes(6))}`,
    port: sockets[0]?.port ?? 0,
    texts,
  };
}

/** At which address: that of the sockets, unless one of them is on all. */
function hostOf({ sockets }: Told): string {
  const hosts = new Set(sockets.map(({ host }) => host));
  const [host = ""] = hosts;
  const isOne = hosts.size === 1 && isAddress(host) && !isIpv6(host);
  return isOne && host !== "0.0.0.0" ? host : "";
}

/** Sends a message with the address of each interface it leaves by. What cannot be sent now is asked for again. */
async function send(
  output: Exclude<ResponderOutput, { readonly kind: "named" }>,
  { socket, responder, host }: {
    readonly socket: MulticastSocket;
    readonly responder: MdnsResponder;
    readonly host: string;
  },
): Promise<void> {
  const written = (addresses: readonly string[]) => {
    const { message, addressesIn } = output;
    if (addressesIn === null) return encodeMessage(message);
    const records = addressRecords(responder.service, addresses);
    return encodeMessage({
      ...message,
      [addressesIn]: [
        ...message[addressesIn],
        ...(message.isResponse && output.kind === "send"
          ? records
          : records.map(withoutFlush)),
      ],
    });
  };
  try {
    if (output.kind === "send") {
      await socket.send((address) => written([host || address]));
    } else {
      const addresses = host === "" ? socket.interfaces : [host];
      await socket.reply(written(addresses), output.to);
    }
  } catch { /* The interface is down. */ }
}
