import { formatHostPort } from "../../lib/core/address.ts";
import { utf8 } from "../../lib/core/bytes.ts";
import { InputError, RunError } from "../../lib/core/errors.ts";
import { acceptsEncoding } from "../../lib/http/accept_encoding.ts";
import {
  formatRequestPath,
  parseRequestPath,
} from "../../lib/http/request_path.ts";
import { type Engine, engineOptions } from "../../lib/io/engine.ts";
import type { HttpRequest, HttpResponse } from "../../lib/io/http.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import { ViolationLog } from "../../lib/io/violation_log.ts";
import type { RoleContext } from "../../lib/role.ts";
import { Throttle } from "../../lib/io/throttle.ts";
import {
  type Plan,
  planLine,
  planOptions,
  planResource,
} from "./answer/answer.ts";
import { AnswerLog } from "./answer/answer_log.ts";
import { Digests, wantsDigest } from "./answer/digests.ts";
import { streamBody } from "./answer/body.ts";
import { Compressor, isCompressible } from "./answer/compressed.ts";
import { planTitle, type TitleFlags } from "./flags.ts";
import { FILE_CHANGED, openFolderSite } from "./site/folder_site.ts";
import type { Content, Resource, Site } from "./site/site.ts";
import { TitleSite } from "./site/title_site.ts";
import { WatchSite } from "./watch/watch_site.ts";

/** How often a file is looked at that another program writes anew meanwhile, as an encoder does with a live manifest. */
const MAX_LOOKS = 8;

const METHODS = "GET, HEAD, OPTIONS";

/** The origin's flags. */
export interface OriginFlags extends TitleFlags {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind. */
  readonly port: number;
  /** Folder to serve; the built-in title without it. */
  readonly root: string | undefined;
  /** Bytes per second of all answers together; no limit without it. */
  readonly limitRate: number | undefined;
  /** Longest that a head may take, in milliseconds. */
  readonly headTimeout: number;
  readonly engine: Engine;
  /** For `Cache-Control`, in milliseconds. */
  readonly maxAge: number;
}

/** Serves a folder or the built-in title until `ctx.signal` aborts. */
export async function serveOrigin(
  flags: OriginFlags,
  ctx: RoleContext,
): Promise<void> {
  if (flags.limitRate === 0) {
    throw new InputError(
      "--limit-rate must be above 0; leave it out for no limit",
    );
  }
  const site = new WatchSite(
    flags.root === undefined
      ? new TitleSite(planTitle(flags, ctx.clock.wallMs()), ctx)
      : await openFolderSite(flags.root, ctx.files),
  );
  const throttle = new Throttle(flags.limitRate ?? Infinity, ctx.clock);
  await using log = new AnswerLog(ctx);
  const desk = new Desk(site, { ctx, throttle, log, maxAgeMs: flags.maxAge });
  await using violations = new ViolationLog(ctx);
  await using server = ctx.net.serveHttp(
    flags,
    (request) => desk.answer(request),
    {
      ...engineOptions(flags.engine, ctx),
      violated: violations.violated,
      headTimeoutMs: flags.headTimeout,
    },
  );
  const { host, port } = server;
  ctx.emit({ type: "role.listening", transport: "http", host, port });
  await pauseUntil(Infinity, ctx);
}

/** What a desk works with. */
interface DeskOptions {
  readonly ctx: RoleContext;
  readonly throttle: Throttle;
  readonly log: AnswerLog;
  readonly maxAgeMs: number;
}

/** Answers requests for what a site has. */
class Desk {
  readonly #site: Site;
  readonly #options: DeskOptions;
  readonly #compressor = new Compressor();
  readonly #digests = new Digests();

  constructor(site: Site, options: DeskOptions) {
    this.#site = site;
    this.#options = options;
  }

  async answer(request: HttpRequest): Promise<HttpResponse> {
    const startedAtMs = this.#options.ctx.clock.nowMs();
    return this.#respond(request, {
      ...await this.#opened(request),
      startedAtMs,
    });
  }

  /** What will be sent, its content open; what may not be read, or is gone just now, is said before anything is sent. */
  async #opened(request: HttpRequest): Promise<Opened> {
    for (let left = MAX_LOOKS;; left--) {
      try {
        const { plan, resource } = await this.#plan(request);
        const hasBody = plan.body.kind === "resource" &&
          plan.body.lengthBytes > 0 && request.method !== "HEAD";
        return hasBody ? { plan, content: await resource!.open() } : { plan };
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        if (error.code === FILE_CHANGED && left > 1) continue;
        return { plan: planFailure(error) };
      }
    }
  }

  async #plan(
    request: HttpRequest,
  ): Promise<{ readonly plan: Plan; readonly resource?: Resource }> {
    const { method, target } = request;
    if (method === "OPTIONS") return { plan: planOptions(METHODS) };
    if (method !== "GET" && method !== "HEAD") {
      const text = `${method} is not allowed here, only ${METHODS}`;
      return { plan: planLine(405, text, { allow: METHODS }) };
    }
    const path = parseRequestPath(target);
    if (path === null) return { plan: planLine(400, "This is no good path") };
    const found = await this.#site.find(path);
    if (found === null) {
      return { plan: planLine(404, "There is nothing at this path") };
    }
    if (found.kind === "folder") {
      const location = formatRequestPath({ ...path, folder: true });
      return { plan: planLine(301, `See ${location}`, { location }) };
    }
    const { ctx, maxAgeMs } = this.#options;
    const varies = isCompressible(found.resource);
    const resource = varies &&
        acceptsEncoding(request.headers.get("accept-encoding"), "gzip")
      ? await this.#compressor.gzip(formatRequestPath(path), found.resource)
      : found.resource;
    const plan = planResource(request, resource, {
      nowWallMs: ctx.clock.wallMs(),
      maxAgeMs,
      boundary: `rolecall-${resource.entityTag.opaque}`,
      vary: varies ? "Accept-Encoding" : undefined,
    });
    if (wantsDigest(request.headers) && plan.headers.has("etag")) {
      const digest = await this.#digests.of(path, resource);
      if (digest !== undefined) plan.headers.set("repr-digest", digest);
    }
    return { plan, resource };
  }

  #respond(
    request: HttpRequest,
    answer: Opened & { readonly startedAtMs: number },
  ): HttpResponse {
    const { plan, content, startedAtMs } = answer;
    const { ctx, log, throttle } = this.#options;
    const { status, headers, body } = plan;
    const ended = (end: { bytes: number; complete: boolean }) =>
      log.add({
        type: "origin.answered",
        remote: formatHostPort(request.remote),
        method: request.method,
        path: request.target,
        status,
        durationMs: ctx.clock.nowMs() - startedAtMs,
        ...end,
      });
    // Who sends what is being made does not know how much it will be.
    if (body.kind === "resource" && content?.ready === undefined) {
      headers.set("content-length", String(body.lengthBytes));
    }
    if (body.kind === "line") {
      const bytes = utf8(body.text);
      headers.set("content-length", String(bytes.length));
      const head = request.method === "HEAD";
      ended({ bytes: head ? 0 : bytes.length, complete: true });
      return { status, headers, body: head ? null : bytes };
    }
    if (body.kind === "none" || content === undefined) {
      ended({ bytes: 0, complete: true });
      return { status, headers, body: null };
    }
    const { signal } = request;
    const { pieces } = body;
    return {
      status,
      headers,
      body: streamBody(content, { pieces, throttle, signal, ended }),
    };
  }
}

/** An answer in the making. */
interface Opened {
  readonly plan: Plan;
  /** Where there is a body of a resource to send. */
  readonly content?: Content;
}

/** What to answer where the system keeps something from us. */
function planFailure({ code }: RunError): Plan {
  switch (code) {
    case "not-found":
      return planLine(404, "There is nothing at this path any more");
    case "permission-denied":
      return planLine(403, "The origin may not read this");
    default:
      return planLine(500, "The origin cannot read this");
  }
}
