import { assert } from "@std/assert";
import { parseAddress, parseCidr } from "../../lib/core/address.ts";
import { seededRng } from "../../lib/core/rng.ts";
import { typeNumber } from "../../lib/dns/codes.ts";
import {
  decodeMessage,
  type DnsMessage,
  encodeMessage,
} from "../../lib/dns/message.ts";
import { parseName } from "../../lib/dns/name.ts";
import type {
  ResolverOptions,
  ResolverOutput,
} from "../../lib/dns/resolver/in_out.ts";
import { Resolver } from "../../lib/dns/resolver/resolver.ts";
import { parseRootHint, rootOf } from "../../lib/dns/resolver/hints.ts";
import { encodeQuery } from "../../lib/dns/stub_query.ts";
import type { RedirectOptions } from "../../lib/dns/authority/redirects.ts";
import { parseSteering } from "../../lib/dns/select/mod.ts";
import type { RecursionEvent } from "../../lib/events/recursion.ts";
import { responderFor, site } from "../unit/dns/authority/ask.ts";

/** What an authority sends back, and from where if not from itself. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly host?: string;
  readonly port?: number;
}

/** An authority: what it sends back at once to a query. */
export type Authority = (
  query: Uint8Array,
  about: { readonly transport: "udp" | "tcp" },
) => readonly Sent[];

/** Serves zones as our own authority does; the resolver is known to it as 10.0.0.53. */
export function authority(
  zones: readonly string[],
  options: RedirectOptions = {},
): Authority {
  const responder = responderFor(zones, options);
  return (query, { transport }) => {
    const reply = responder.respond(query, {
      address: parseAddress("10.0.0.53"),
      transport,
    });
    return reply === undefined ? [] : [{ bytes: reply.bytes.slice() }];
  };
}

/** A zone's first lines. */
export function zoneOf(origin: string, ...lines: string[]): string {
  return [
    `$ORIGIN ${origin}`,
    "$TTL 300",
    "@ SOA ns h 1 1d 2h 4w 60",
    "@ NS ns",
    ...lines,
    "",
  ].join("\n");
}

/** Where the lecture's top-level domain, site and CDN are served. */
export const EXAMPLE_HOST = "10.1.0.2";
/** See {@linkcode EXAMPLE_HOST}. */
export const SITE_HOST = "10.1.0.3";
/** See {@linkcode EXAMPLE_HOST}. */
export const KING_HOST = "10.1.0.4";

/** What the top-level domain has about the CDN. */
export const KING_DELEGATION = [
  "kingcdn NS ns.kingcdn",
  `ns.kingcdn A ${KING_HOST}`,
] as const;

/** An authority at `host` for one zone, whose first lines it brings along. */
export function serverOf(
  origin: string,
  host: string,
  ...lines: string[]
): Authority {
  return authority([zoneOf(origin, `ns A ${host}`, ...lines)]);
}

/** The top-level domain of the lecture's world with other lines. */
export function exampleWith(...lines: string[]): Authority {
  return serverOf("example.", EXAMPLE_HOST, ...lines);
}

/** The lecture's world: the root, a top-level domain, the site and its CDN; `others` take a host over, or are one more. */
export function slideAuthorities(
  others: Readonly<Record<string, Authority>> = {},
): Map<string, Authority> {
  return new Map([
    [
      "10.1.0.1",
      authority([
        "$ORIGIN .\n$TTL 3600\n@ SOA a.root. h. 1 1d 2h 4w 60\n@ NS a.root.\na.root. A 10.1.0.1\n" +
        "example. NS ns.example.\nns.example. A 10.1.0.2\n",
      ]),
    ],
    [
      EXAMPLE_HOST,
      exampleWith(
        "netcinema NS ns.netcinema",
        `ns.netcinema A ${SITE_HOST}`,
        ...KING_DELEGATION,
      ),
    ],
    [
      SITE_HOST,
      serverOf(
        "netcinema.example.",
        SITE_HOST,
        "video CNAME video.kingcdn.example.",
        "big TXT " + Array(12).fill(`"${"x".repeat(200)}"`).join(" "),
      ),
    ],
    [
      KING_HOST,
      authority([
        zoneOf(
          "kingcdn.example.",
          `ns A ${KING_HOST}`,
          "video 20 A 10.2.0.3",
          "video 20 A 10.2.0.4",
        ),
      ], {
        steering: parseSteering("geo"),
        sites: [
          site("192.168.0.0/17", "10.2.0.3"),
          site("192.168.128.0/17", "10.2.0.4"),
        ],
      }),
    ],
    ...Object.entries(others),
  ]);
}

/** The lecture's own authority at a host, for what is put before it. */
export function slideAuthority(host: string): Authority {
  const found = slideAuthorities().get(host);
  assert(found !== undefined);
  return found;
}

/** Changes a message after it was written. */
export function edited(
  bytes: Uint8Array,
  edit: (message: DnsMessage) => Partial<DnsMessage>,
): Uint8Array {
  const message = decodeMessage(bytes);
  return encodeMessage({ ...message, ...edit(message) });
}

/** An authority whose replies are changed on their way. */
export function altered(
  real: Authority,
  edit: (message: DnsMessage) => Partial<DnsMessage>,
): Authority {
  return (query, about) =>
    real(query, about).map(({ bytes }) => ({ bytes: edited(bytes, edit) }));
}

/** The address that an answer ends with. */
export function lastAddress({ answers }: DnsMessage): string | undefined {
  return answers.at(-1)?.rdata.join(".");
}

/** The events of one type. */
export function eventsOf<T extends RecursionEvent["type"]>(
  events: readonly RecursionEvent[],
  type: T,
): (RecursionEvent & { readonly type: T })[] {
  return events.filter((
    event,
  ): event is RecursionEvent & { readonly type: T } => event.type === type);
}

/** One that never answers. */
export const SILENT: Authority = () => [];

/** What came of a question. */
export interface Outcome {
  readonly message: DnsMessage;
  readonly events: readonly RecursionEvent[];
  /** Messages that authorities got for it. */
  readonly sent: number;
}

/** A resolver and its authorities in virtual time; messages take no time, and what is not answered runs into the timeout. */
export class ResolverWorld {
  readonly resolver: Resolver;
  readonly authorities: Map<string, Authority>;
  readonly events: RecursionEvent[] = [];
  readonly replies = new Map<number, Uint8Array | undefined>();
  nowMs = 0;
  sent = 0;
  /** Exchanges that were sent and not closed. */
  readonly open = new Set<number>();
  #clients = 0;

  constructor(
    authorities: Map<string, Authority> = slideAuthorities(),
    options: Partial<ResolverOptions> = {},
  ) {
    this.authorities = authorities;
    this.resolver = new Resolver({
      root: rootOf([parseRootHint("a.root=10.1.0.1")]),
      port: 53,
      rng: seededRng(7),
      ...options,
    });
  }

  /** Hands over a client's query and what follows at once; returns the client's number. */
  query(bytes: Uint8Array, from = "192.168.0.9"): number {
    this.#clients += 1;
    const clientId = this.#clients;
    const sender = { host: from, port: 5000, transport: "udp" } as const;
    this.perform(
      this.resolver.handle(
        { kind: "query", clientId, sender, bytes },
        this.nowMs,
      ),
    );
    return clientId;
  }

  /** Asks `video.netcinema.example AAAA` and lets time pass until there is a reply. */
  ask(
    question: string,
    options: { readonly from?: string; readonly subnet?: string } = {},
  ): Outcome {
    const firstEvent = this.events.length;
    const sentBefore = this.sent;
    const clientId = this.query(queryOf(question, options), options.from);
    while (!this.replies.has(clientId)) this.pass();
    const bytes = this.replies.get(clientId);
    assert(bytes !== undefined);
    return {
      message: decodeMessage(bytes),
      events: this.events.slice(firstEvent),
      sent: this.sent - sentBefore,
    };
  }

  /** Lets time pass until something is due. */
  pass(): void {
    assert(this.resolver.deadlineMs < Infinity, "nothing is due any more");
    this.nowMs = Math.max(this.nowMs, this.resolver.deadlineMs);
    this.perform(this.resolver.handle({ kind: "timeout" }, this.nowMs));
  }

  /** Carries out outputs. */
  perform(outputs: readonly ResolverOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "event") this.events.push(output.event);
      else if (output.kind === "reply") {
        this.replies.set(output.clientId, output.bytes);
      } else if (output.kind === "send") this.#deliver(output);
      else assert(this.open.delete(output.exchangeId), "closed twice");
    }
  }

  #deliver(output: ResolverOutput & { readonly kind: "send" }): void {
    const { exchangeId, to, bytes, transport } = output;
    this.sent += 1;
    this.open.add(exchangeId);
    const replies = this.authorities.get(to.host)?.(bytes, { transport }) ?? [];
    for (const { bytes, host = to.host, port = to.port } of replies) {
      const from = { host, port };
      this.perform(
        this.resolver.handle(
          { kind: "message", exchangeId, from, bytes },
          this.nowMs,
        ),
      );
    }
  }
}

/** The bytes of `video.netcinema.example AAAA`. */
export function queryOf(
  question: string,
  { subnet }: { readonly subnet?: string } = {},
): Uint8Array<ArrayBuffer> {
  const [name = "", type = "A"] = question.split(" ");
  return encodeQuery({
    id: 0x4242,
    name: parseName(name),
    type: typeNumber(type) ?? 1,
    ...(subnet === undefined ? {} : { clientSubnet: parseCidr(subnet) }),
  });
}
