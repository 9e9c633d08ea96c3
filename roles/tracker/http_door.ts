import { type Context, Hono } from "hono";
import { ProtocolError } from "../../lib/core/errors.ts";
import {
  encodeAnnounceReply,
  encodeFailure,
  encodeScrapeReply,
  parseAnnounceQuery,
  parseScrapeQuery,
} from "../../lib/bittorrent/tracker_http.ts";
import type { Address } from "../../lib/io/net.ts";
import type { FrontDesk, Visit } from "./front_desk.ts";
import { swarmsPage } from "./swarms_page.ts";

/** What a request comes with besides itself. */
interface Env {
  readonly Bindings: { readonly remote: Address };
}

/**
 * Makes the tracker's web site: `/announce`, `/scrape`, and the page with the swarms at `/`.
 *
 * Refusals have status 200 as well: BEP 3 puts them in the body, and clients read no other.
 */
export function httpDoor(
  desk: FrontDesk,
  page: {
    readonly names: ReadonlyMap<string, string>;
    readonly udpPort: () => number;
  },
): (request: Request, remote: Address) => Response | Promise<Response> {
  const app = new Hono<Env>();
  app.get("/announce", (c) =>
    bencoded(c, desk, (query, visit) => {
      const request = parseAnnounceQuery(query);
      return encodeAnnounceReply(desk.announce(visit, request), request);
    }));
  app.get("/scrape", (c) =>
    bencoded(
      c,
      desk,
      (query, visit) =>
        encodeScrapeReply(desk.scrape(visit, parseScrapeQuery(query))),
    ));
  app.get("/", (c) =>
    c.html(swarmsPage(desk, {
      names: page.names,
      udpPort: page.udpPort(),
      host: /^[a-z]+:\/\/([^/?#]*)/.exec(c.req.url)?.[1] ?? "",
    })));
  app.notFound((c) =>
    c.text("Nothing here: / shows the swarms, peers use /announce\n", 404)
  );
  return (request, remote) => app.fetch(request, { remote });
}

function bencoded(
  c: Context<Env>,
  desk: FrontDesk,
  answer: (query: string, visit: Visit) => Uint8Array<ArrayBuffer>,
): Response {
  const visit: Visit = { transport: "http", host: c.env.remote.host };
  // The query as sent: it carries raw bytes, which parsed parameters would have lost.
  const query = /\?([^#]*)/.exec(c.req.url)?.[1] ?? "";
  let body: Uint8Array<ArrayBuffer>;
  try {
    body = answer(query, visit);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    desk.refuse(visit, error);
    body = encodeFailure(error.message);
  }
  return c.body(body, 200, {
    "content-type": "text/plain; charset=iso-8859-1",
    "cache-control": "no-store",
  });
}
