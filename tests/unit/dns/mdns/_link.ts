import { seededRng } from "../../../../lib/core/rng.ts";
import {
  type FoundService,
  MdnsBrowser,
} from "../../../../lib/dns/mdns/browser.ts";
import {
  MdnsResponder,
  type Unaddressed,
} from "../../../../lib/dns/mdns/responder.ts";
import {
  addressRecords,
  type Service,
} from "../../../../lib/dns/mdns/service.ts";
import { type DnsMessage, encodeMessage } from "../../../../lib/dns/message.ts";

/** A service on port 8080, told apart from others by `host`. */
export function serviceOf(label: string, host = "host-1"): Service {
  const texts = new Map([["role", "edge"], ["name", label]]);
  return { label, hostLabel: host, port: 8080, texts };
}

interface Host {
  readonly address: string;
  readonly responder: MdnsResponder;
}

/** What was sent, and when. */
export interface Sent {
  readonly atMs: number;
  readonly from: string;
  readonly message: DnsMessage;
}

/** A link on which all hear all, at once, in virtual time. */
export class Link {
  nowMs = 0;
  readonly sent: Sent[] = [];
  readonly names = new Map<MdnsResponder, string>();
  readonly found: FoundService[] = [];
  readonly lost: string[] = [];
  readonly #hosts: Host[] = [];
  #browser: MdnsBrowser | undefined;

  /** Puts a service on the link. */
  join(service: Service, address: string, seed = 1): MdnsResponder {
    const responder = new MdnsResponder(service, seededRng(seed));
    this.#hosts.push({ address, responder });
    responder.handle({ kind: "start" }, this.nowMs);
    return responder;
  }

  /** Takes it off again, with or without a goodbye. */
  leave(responder: MdnsResponder, options: { politely: boolean }): void {
    const at = this.#hosts.findIndex((host) => host.responder === responder);
    const [host] = this.#hosts.splice(at, 1);
    if (host === undefined || !options.politely) return;
    for (const out of responder.handle({ kind: "stop" }, this.nowMs)) {
      if (out.kind === "send") this.#send(host, out);
    }
  }

  /** Looks for services from now on. */
  browse(): MdnsBrowser {
    this.#browser = new MdnsBrowser();
    this.#browser.handle({ kind: "start" }, this.nowMs);
    return this.#browser;
  }

  /** All hear these bytes. */
  broadcast(bytes: Uint8Array, from = { host: "10.0.0.99", port: 5353 }): void {
    const input = { kind: "datagram", bytes, from } as const;
    for (const host of this.#hosts) this.#feed(host, input);
    this.#feedBrowser(input);
  }

  /** Lets time pass. */
  run(untilMs: number): void {
    for (;;) {
      const machines = [
        ...this.#hosts.map(({ responder }) => responder),
        ...(this.#browser === undefined ? [] : [this.#browser]),
      ];
      const next = Math.min(...machines.map((one) => one.deadlineMs));
      if (!(next <= untilMs)) break;
      this.nowMs = Math.max(this.nowMs, next);
      for (const host of [...this.#hosts]) {
        if (host.responder.deadlineMs <= this.nowMs) {
          this.#feed(host, { kind: "timeout" });
        }
      }
      if ((this.#browser?.deadlineMs ?? Infinity) <= this.nowMs) {
        this.#feedBrowser({ kind: "timeout" });
      }
    }
    this.nowMs = untilMs;
  }

  #feed(host: Host, input: Parameters<MdnsResponder["handle"]>[0]): void {
    for (const out of host.responder.handle(input, this.nowMs)) {
      if (out.kind === "named") this.names.set(host.responder, out.label);
      else if (out.kind === "send") this.#send(host, out);
    }
  }

  #feedBrowser(input: Parameters<MdnsBrowser["handle"]>[0]): void {
    for (const out of this.#browser?.handle(input, this.nowMs) ?? []) {
      if (out.kind === "found") this.found.push(out.service);
      else if (out.kind === "lost") this.lost.push(out.label);
      else this.broadcast(out.bytes, { host: "10.0.0.50", port: 5353 });
    }
  }

  #send(host: Host, { message, addressesIn }: Unaddressed): void {
    const records = addressRecords(host.responder.service, [host.address]);
    const whole = addressesIn === null ? message : {
      ...message,
      [addressesIn]: [...message[addressesIn], ...records],
    };
    this.sent.push({ atMs: this.nowMs, from: host.address, message: whole });
    this.broadcast(encodeMessage(whole), { host: host.address, port: 5353 });
  }
}
