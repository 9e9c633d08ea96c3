import { utf8 } from "../../lib/core/bytes.ts";
import { ProtocolError } from "../../lib/core/errors.ts";
import {
  encodeAnnounceReply,
  encodeFailure,
  encodeScrapeReply,
  parseAnnounceQuery,
  parseScrapeQuery,
} from "../../lib/bittorrent/tracker/http/messages.ts";
import { Fields } from "../../lib/http/fields.ts";
import { SealedFields } from "../../lib/http/http1/response_head.ts";
import type {
  HttpHandler,
  HttpRequest,
  HttpResponse,
} from "../../lib/io/http.ts";
import { KnownAddresses } from "../../lib/io/known_addresses.ts";
import type { FrontDesk, Visit } from "./front_desk.ts";
import type { PageContent } from "./swarms_page.ts";

/** Of every answer to a peer. */
const REPLY_FIELDS = new SealedFields(
  new Fields([
    ["content-type", "text/plain; charset=iso-8859-1"],
    ["cache-control", "no-store"],
  ]),
);
const PAGE_FIELDS = new Fields([
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-store"],
]);
const TEXT_FIELDS = [["content-type", "text/plain; charset=utf-8"]] as const;
const NOTHING_HERE: HttpResponse = {
  status: 404,
  headers: new Fields(TEXT_FIELDS),
  body: utf8("Nothing here: / shows the swarms, peers use /announce\n"),
};
const NOT_READ: HttpResponse = {
  status: 405,
  headers: new Fields([...TEXT_FIELDS, ["allow", "GET, HEAD"]]),
  body: utf8("Only GET and HEAD are answered here\n"),
};

/**
 * Makes the tracker's web site: `/announce`, `/scrape`, and the page with the swarms at `/`.
 *
 * Refusals have status 200 as well: BEP 3 puts them in the body, and clients read no other.
 *
 * @param page.udpPort Asked for each time, since the site is opened before the UDP socket.
 */
export function httpDoor(
  desk: FrontDesk,
  page: Pick<PageContent, "names"> & { readonly udpPort: () => number },
): HttpHandler {
  const visitors = new KnownAddresses();
  const visitOf = (request: HttpRequest): Visit => ({
    transport: "http",
    from: visitors.bytesOf(request.remote.host),
    nowMs: desk.nowMs(),
  });
  return (request) => {
    const { target } = request;
    // The query as sent: it carries raw bytes, which parsed parameters would have lost.
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? "" : target.slice(mark + 1);
    if (request.method !== "GET" && request.method !== "HEAD") return NOT_READ;
    if (path === "/announce") {
      const visit = visitOf(request);
      return bencoded(desk, visit, () => announce(desk, visit, query));
    }
    if (path === "/scrape") {
      const visit = visitOf(request);
      const scrape = () =>
        encodeScrapeReply(desk.scrape(visit, parseScrapeQuery(query)));
      return bencoded(desk, visit, scrape);
    }
    if (path !== "/") return NOTHING_HERE;
    return swarmsAnswer(desk, {
      names: page.names,
      udpPort: page.udpPort(),
      host: request.authority,
    });
  };
}

/** Answers with the page. What writes it is loaded when somebody looks: most trackers are only asked by peers. */
async function swarmsAnswer(
  desk: FrontDesk,
  content: PageContent,
): Promise<HttpResponse> {
  const { swarmsPage } = await import("./swarms_page.ts");
  const html = String(swarmsPage(desk, content));
  return { status: 200, headers: PAGE_FIELDS, body: utf8(html) };
}

function announce(
  desk: FrontDesk,
  visit: Visit,
  query: string,
): Uint8Array<ArrayBuffer> {
  const request = parseAnnounceQuery(query);
  const isIpv4 = visit.from.length === 4;
  const answer = desk.announce(visit, request, {
    hasBoth: isIpv4 ? request.families.ipv6 : request.families.ipv4,
    withIds: !request.compact && !request.noPeerId,
    capacity: Infinity,
  });
  return encodeAnnounceReply({
    ...answer,
    intervalSeconds: desk.intervalSeconds,
    minIntervalSeconds: desk.minIntervalSeconds,
    externalIp: visit.from,
    trackerId: desk.trackerId,
  }, request);
}

function bencoded(
  desk: FrontDesk,
  visit: Visit,
  answer: () => Uint8Array<ArrayBuffer>,
): HttpResponse {
  let body: Uint8Array<ArrayBuffer>;
  try {
    body = answer();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    desk.refuse(visit, error);
    body = encodeFailure(error.message);
  }
  return { status: 200, headers: REPLY_FIELDS, body };
}
