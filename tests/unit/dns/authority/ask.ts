import { assert } from "@std/assert";
import { parseAddress, parseCidr } from "../../../../lib/core/address.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import type { RedirectOptions } from "../../../../lib/dns/authority/redirects.ts";
import {
  type Reply,
  Responder,
} from "../../../../lib/dns/authority/responder.ts";
import type { SiteSpec } from "../../../../lib/dns/authority/zone.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { decodeMessage, type DnsMessage } from "../../../../lib/dns/message.ts";
import { formatName, parseName } from "../../../../lib/dns/name.ts";
import { formatRdata } from "../../../../lib/dns/rdata.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";

/** A zone with something of everything. */
export const ZONE = `
$TTL 1h
$ORIGIN kingcdn.example.
@ IN SOA ns1 hostmaster ( 1 ; serial
   1d 2h 4w 30 )
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns1 A 127.0.0.2
ns2 A 127.0.0.2
video 20 A 127.0.0.3
video 20 A 127.0.0.4
      20 AAAA fd00::3
www CNAME video
deep1 CNAME deep2
deep2 CNAME www
loop1 CNAME loop2
loop2 CNAME loop1
lost CNAME nowhere
out CNAME www.elsewhere.example.
txt TXT "hello world" "second; \\"quoted\\""
@ MX 10 mail
mail A 127.0.0.9
*.wild A 127.0.0.8
known.wild A 127.0.0.7
a.b.ent A 127.0.0.7
sub NS ns.sub
ns.sub A 127.0.0.10
`;

/** The video site's own zone, an alias into the CDN. */
export const SITE_ZONE = `
$ORIGIN netcinema.example.
$TTL 300
@ SOA ns1 hostmaster 1 1d 2h 4w 60
@ NS ns1.kingcdn.example.
video CNAME video.kingcdn.example.
`;

/** A responder for zones as text. */
export function responderFor(
  zones: readonly string[],
  options: RedirectOptions = {},
): Responder {
  return new Responder(
    new ZoneTable(zones.flatMap((text) => parseMasterFile(text)), options),
    { rng: seededRng(5) },
  );
}

/** A site as a flag has it. */
export function site(subnet: string, ...edges: string[]): SiteSpec {
  return { name: subnet, subnets: [parseCidr(subnet)], edges };
}

/** Somebody who asks over UDP, where it does not matter who. */
export const ASKER = {
  address: parseAddress("10.0.0.1"),
  port: 4000,
  transport: "udp",
} as const;

/** How a test asks. */
export interface Asking {
  readonly from?: string;
  readonly transport?: "udp" | "tcp";
  readonly subnet?: string;
}

/** Asks `video.kingcdn.example AAAA`; returns the message and the reply it came from. */
export function ask(
  responder: Responder,
  question: string,
  asking: Asking = {},
): { readonly message: DnsMessage; readonly reply: Reply } {
  const [name = "", type = "A"] = question.split(" ");
  const query = encodeQuery({
    id: 0x1234,
    name: parseName(name),
    type: RECORD_TYPES[type as keyof typeof RECORD_TYPES],
    ...(asking.subnet === undefined
      ? {}
      : { clientSubnet: parseCidr(asking.subnet) }),
  });
  const reply = responder.respond(query, {
    address: parseAddress(asking.from ?? "10.0.0.1"),
    transport: asking.transport ?? "udp",
  });
  assert(reply !== undefined);
  return { message: decodeMessage(reply.bytes), reply };
}

/** A section as lines `name ttl type data`. */
export function lines(records: DnsMessage["answers"]): string[] {
  const names = new Map<number, string>(
    Object.entries(RECORD_TYPES).map(([name, type]) => [type, name]),
  );
  return records.map((record) =>
    `${formatName(record.name)} ${record.ttlSeconds} ${
      names.get(record.type)
    } ${formatRdata(record.type, record.rdata)}`
  );
}
