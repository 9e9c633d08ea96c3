import { fromUtf8 } from "../../../../lib/core/bytes.ts";
import { HttpCache } from "../../../../lib/http/cache/cache.ts";
import type { FieldSource } from "../../../../lib/http/fields.ts";
import type { ClientRequest } from "../../../../lib/io/http1/client.ts";
import { AnswerLog } from "../../../../roles/edge/account/answer_log.ts";
import { DiskTier } from "../../../../roles/edge/disk/tier.ts";
import { Edge } from "../../../../roles/edge/answer/edge.ts";
import { RequestBodies } from "../../../../roles/edge/requests/bodies.ts";
import { Upstream } from "../../../../roles/edge/origin/upstream.ts";
import {
  bytesOf,
  requestOf,
  sourceOf,
} from "../../../support/http_exchange.ts";
import type { MemoryFiles } from "../../../support/memory_files.ts";
import { roleContext } from "../../../support/role_context.ts";

type Answer = (
  url: string,
  request: ClientRequest,
) => Response | Promise<Response>;

/** An edge in front of `answer`, and what happened. */
export function edgeOf(
  answer: Answer,
  origins = ["http://a.test", "http://b.test"],
  options: {
    readonly cacheBytes?: number;
    readonly scheme?: "http" | "https";
    readonly mark?: string;
    readonly disk?: {
      readonly files: MemoryFiles;
      readonly capacityBytes: number;
    };
  } = {},
) {
  const asked: string[] = [];
  const ctx = roleContext(
    options.disk === undefined ? {} : { files: options.disk.files },
  );
  const { clock, events } = ctx;
  const client = {
    async send(url: string, request: ClientRequest) {
      asked.push(`${request.method} ${url}`);
      const { status, headers, body } = await answer(url, request);
      return { status, headers, body: sourceOf(body) };
    },
  };
  const disk = options.disk === undefined
    ? undefined
    : new DiskTier(ctx, "cache");
  const cache = new HttpCache({
    capacityBytes: options.cacheBytes ?? 1e6,
    ...(disk === undefined ? {} : {
      disk: {
        capacityBytes: options.disk!.capacityBytes,
        gone: (entry) => disk.discard(entry),
      },
    }),
  });
  const gone = new AbortController();
  const edge = new Edge({
    ctx,
    log: new AnswerLog(ctx),
    cache,
    disk,
    upstream: new Upstream(ctx, {
      origins,
      client,
      connectMs: 1000,
      firstByteMs: 1000,
      concurrency: 8,
      queueLength: 8,
      checkEveryMs: Infinity,
    }),
    bodies: new RequestBodies(clock),
    pseudonym: "e",
    scheme: options.scheme ?? "http",
    mark: options.mark ?? "mark-1",
    signal: gone.signal,
    idleMs: 1000,
  });
  const ask = async (
    target: string,
    how: {
      method?: string;
      headers?: HeadersInit;
      inform?: (status: number, fields: FieldSource) => void;
    } = {},
  ) => {
    const request = requestOf(target, {
      method: how.method ?? "GET",
      headers: new Headers(how.headers),
      ...(how.inform === undefined ? {} : { inform: how.inform }),
    });
    const { status, headers, body } = await edge.handle(request);
    const text = fromUtf8(await bytesOf(body));
    return { status, headers, text };
  };
  const { tiers } = cache;
  const leave = () => gone.abort();
  return { ask, asked, clock, events, disk, tiers, leave };
}
