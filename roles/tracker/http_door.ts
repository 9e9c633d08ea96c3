import { Hono } from "hono";
import { ProtocolError } from "../../lib/core/errors.ts";
import {
  encodeAnnounceReply,
  encodeFailure,
  encodeScrapeReply,
  parseAnnounceQuery,
  parseScrapeQuery,
} from "../../lib/bittorrent/tracker_http.ts";
import { Fields } from "../../lib/http/fields.ts";
import type {
  HttpHandler,
  HttpRequest,
  HttpResponse,
} from "../../lib/io/http.ts";
import { pages } from "../../lib/io/pages.ts";
import type { FrontDesk, Visit } from "./front_desk.ts";
import { swarmsPage } from "./swarms_page.ts";

/** Of every answer to a peer. */
const REPLY_FIELDS = new Fields([
  ["content-type", "text/plain; charset=iso-8859-1"],
  ["cache-control", "no-store"],
]);

/**
 * Makes the tracker's web site: `/announce`, `/scrape`, and the page with the swarms at `/`.
 *
 * Refusals have status 200 as well: BEP 3 puts them in the body, and clients read no other. Peers are answered at once,
 * without the page's framework in between: it would cost more than the answer.
 */
export function httpDoor(
  desk: FrontDesk,
  page: {
    readonly names: ReadonlyMap<string, string>;
    readonly udpPort: () => number;
  },
): HttpHandler {
  const app = sitePages(desk, page);
  const site = pages((request) => app.fetch(request));
  return (request) => {
    const { target } = request;
    const question = target.indexOf("?");
    const path = question < 0 ? target : target.slice(0, question);
    // The query as sent: it carries raw bytes, which parsed parameters would have lost.
    const query = question < 0 ? "" : target.slice(question + 1);
    if (path === "/announce" && isRead(request)) {
      return bencoded(request, desk, (visit) => {
        const announce = parseAnnounceQuery(query);
        return encodeAnnounceReply(desk.announce(visit, announce), announce);
      });
    }
    if (path === "/scrape" && isRead(request)) {
      return bencoded(
        request,
        desk,
        (visit) =>
          encodeScrapeReply(desk.scrape(visit, parseScrapeQuery(query))),
      );
    }
    return site(request);
  };
}

/** What people see. */
function sitePages(
  desk: FrontDesk,
  page: Parameters<typeof httpDoor>[1],
): Hono {
  const app = new Hono();
  app.get("/", (c) =>
    c.html(swarmsPage(desk, {
      names: page.names,
      udpPort: page.udpPort(),
      host: /^[a-z]+:\/\/([^/?#]*)/.exec(c.req.url)?.[1] ?? "",
    })));
  app.notFound((c) =>
    c.text("Nothing here: / shows the swarms, peers use /announce\n", 404)
  );
  return app;
}

function isRead({ method }: HttpRequest): boolean {
  return method === "GET" || method === "HEAD";
}

function bencoded(
  request: HttpRequest,
  desk: FrontDesk,
  answer: (visit: Visit) => Uint8Array<ArrayBuffer>,
): HttpResponse {
  const visit: Visit = { transport: "http", host: request.remote.host };
  let body: Uint8Array<ArrayBuffer>;
  try {
    body = answer(visit);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    desk.refuse(visit, error);
    body = encodeFailure(error.message);
  }
  return { status: 200, headers: REPLY_FIELDS, body };
}
