import { Hono } from "hono";
import { html, raw } from "hono/html";
import { InputError } from "../core/errors.ts";
import type { EventRecord } from "../events/mod.ts";
import { pages } from "../io/pages.ts";
import type { Clock } from "../io/clock.ts";
import type { Address, Net } from "../io/net.ts";
import { PAGE_STYLE } from "../report/page_style.ts";
import type { AdminPages } from "./admin_pages.ts";
import { Broadcast } from "./broadcast.ts";
import type { Sink } from "./emitter.ts";
import { Metrics } from "./metrics.ts";

/** Events a new reader is given first. */
const REPLAYED = 200;

/** What {@linkcode serveAdmin} shows. */
export interface AdminOptions {
  readonly role: string;
  readonly name: string;
  readonly version: string;
  /** The flags in force, for `/config`. */
  readonly config: unknown;
  /** What the role adds. */
  readonly pages: AdminPages;
}

/** The admin endpoint of a role: `sink` feeds it, disposing of it closes it. */
export interface Admin extends AsyncDisposable, Address {
  readonly sink: Sink;
}

/**
 * Reads `[ADDR:]PORT`; without ADDR it is 127.0.0.1.
 *
 * @throws {InputError} If it is neither.
 */
export function parseAdminAddress(text: string): Address {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]*)):)?([0-9]{1,5})$/
    .exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new InputError(
      `--admin must be [ADDR:]PORT, such as 9100 or 10.0.0.1:9100, got "${text}"`,
    );
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

/** Serves `/healthz`, `/metrics` (Prometheus text), `/events` (Server-Sent Events), `/config`, and what the role adds. */
export function serveAdmin(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  address: Address,
  options: AdminOptions,
): Admin {
  const metrics = new Metrics(options);
  const broadcast = new Broadcast<EventRecord>((event) => ({
    id: event.seq,
    event: event.type,
    data: JSON.stringify(event),
  }), { clock });
  const latest: EventRecord[] = [];
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/config", (c) => c.json(options.config as Record<string, never>));
  app.get(
    "/metrics",
    async (c) =>
      c.text(metrics.text() + await options.pages.metrics(), 200, {
        "content-type": "text/plain; version=0.0.4; charset=utf-8",
      }),
  );
  app.get("/events", () => broadcast.answer(latest));
  app.get("/", (c, next) => {
    const hasOwn = options.pages.paths.includes("/");
    return hasOwn ? next() : c.html(indexPage(options));
  });
  app.all("*", (c) => options.pages.answer(c.req.raw));
  const answer = pages((request) => app.fetch(request));
  const server = net.serveHttp({ ...address, portFlag: "--admin" }, answer);
  return {
    host: server.host,
    port: server.port,
    sink(event) {
      metrics.sink(event);
      latest.push(event);
      if (latest.length > REPLAYED) latest.shift();
      broadcast.send(event);
    },
    async [Symbol.asyncDispose]() {
      broadcast.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** What there is, for who follows the address that the log names; a role may have a page of its own there. */
function indexPage({ role, name, version, pages }: AdminOptions) {
  const paths = ["/metrics", "/events", "/config", "/healthz", ...pages.paths];
  // deno-fmt-ignore: Deno versions format HTML in templates differently
  return html`
    <!doctype html>
    <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>${name}</title>
      <style>${raw(PAGE_STYLE)}</style>
      <main>
      <h1>${name}</h1>
      <p>${role} of rolecall ${version}</p>
      <ul>${paths.map((path) => html`<li><a href="${path}">${path}</a></li>`)}</ul>
      </main>
    </html>
  `;
}
