import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http";
import { Hono } from "hono";
import { InputError } from "../core/errors.ts";
import type { EventRecord } from "../events/mod.ts";
import type { HttpServer } from "../io/http.ts";
import { pages } from "../io/pages.ts";
import type { Address, Net } from "../io/net.ts";
import type { AdminPages } from "./admin_pages.ts";
import type { Sink } from "./emitter.ts";
import { Metrics } from "./metrics.ts";

/** Most event readers at once. */
const MAX_READERS = 64;
/** Events a slow reader may fall behind before it is cut off. */
const MAX_BEHIND = 1000;
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
  net: Net,
  address: Address,
  options: AdminOptions,
): Admin {
  const metrics = new Metrics(options);
  const broadcast = new Broadcast();
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
  app.get("/events", (c) => {
    const events = broadcast.join();
    return events === null ? c.text("Too many readers\n", 503) : new Response(
      events,
      {
        headers: {
          "content-type": "text/event-stream",
          "cache-control": "no-store",
          "access-control-allow-origin": "*",
        },
      },
    );
  });
  app.all("*", (c) => options.pages.answer(c.req.raw));
  const server: HttpServer = net.serveHttp(
    address,
    pages((request) => app.fetch(request)),
  );
  return {
    host: server.host,
    port: server.port,
    sink(event) {
      metrics.sink(event);
      broadcast.send(event);
    },
    async [Symbol.asyncDispose]() {
      broadcast.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The readers of `/events`: each gets the latest events, then every new one; who falls too far behind is cut off. */
class Broadcast {
  readonly #readers = new Set<ReadableStreamDefaultController<EventRecord>>();
  readonly #latest: EventRecord[] = [];

  /** A new reader's stream; null when there are too many. */
  join(): ReadableStream<Uint8Array> | null {
    if (this.#readers.size >= MAX_READERS) return null;
    let mine: ReadableStreamDefaultController<EventRecord>;
    const events = new ReadableStream<EventRecord>({
      start: (controller) => {
        mine = controller;
        for (const event of this.#latest) controller.enqueue(event);
        this.#readers.add(controller);
      },
      cancel: () => void this.#readers.delete(mine),
    }, { highWaterMark: MAX_BEHIND });
    return events.pipeThrough(
      new TransformStream<EventRecord, ServerSentEventMessage>({
        transform: (event, controller) =>
          controller.enqueue({
            id: event.seq,
            event: event.type,
            data: JSON.stringify(event),
          }),
      }),
    ).pipeThrough(new ServerSentEventStream());
  }

  send(event: EventRecord): void {
    this.#latest.push(event);
    if (this.#latest.length > REPLAYED) this.#latest.shift();
    for (const reader of this.#readers) {
      if ((reader.desiredSize ?? 0) > 0) reader.enqueue(event);
      else {
        this.#readers.delete(reader);
        reader.close();
      }
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }
}
