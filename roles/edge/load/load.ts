import { counted } from "../../../lib/core/units.ts";
import { InputError, messageOf, RunError } from "../../../lib/core/errors.ts";
import { shuffled } from "../../../lib/core/rng.ts";
import { parseMpd } from "../../../lib/dash/mpd/mpd.ts";
import { MAX_MPD_BYTES } from "../../../lib/dash/mpd/xml.ts";
import { isNearestHit } from "../../../lib/http/cache/cache_status.ts";
import { streamOf } from "../../../lib/io/body_source.ts";
import type { BodySource } from "../../../lib/io/http.ts";
import { HttpClient } from "../../../lib/io/http1/client.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import { readBody } from "../../../lib/io/read_body.ts";
import { Zipf } from "../../../lib/model/zipf.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { LoadFlags } from "../flags.ts";
import { loadResult, type LoadRun } from "./result.ts";

/** Objects of a catalogue that has no manifest and no `--catalogue`. */
const CATALOGUE = 1000;
/** Most objects of a catalogue, and most requests: what is drawn is held. */
const MAX_OBJECTS = 1_000_000;
const MAX_REQUESTS = 10_000_000;
/** Longest wait for a connection, and between two pieces of a body. */
const CONNECT_MS = 5000;
/** How much of a body is asked for at once. */
const PIECE_BYTES = 65_536;
/** Time between two reports. */
const REPORT_MS = 500;

/** Asks a server for objects by Zipf's law, and tells how many its cache had and how long it took. */
export async function runLoad(
  flags: LoadFlags,
  ctx: RoleContext,
): Promise<void> {
  checkFlags(flags);
  const client = new HttpClient(ctx.net, ctx.clock);
  try {
    const urls = shuffled(await catalogueOf(flags, ctx, client), ctx.rng);
    const zipf = new Zipf(urls.length, flags.zipf);
    const drawn = Array.from(
      { length: flags.requests },
      () => urls[zipf.draw(ctx.rng)]!,
    );
    const runs = [
      await ask("edge", drawn, { client, flags, ctx }),
    ];
    const { against } = flags;
    if (against !== undefined && !ctx.signal.aborted) {
      // The same objects, in the same order.
      const there = drawn.map((url) => elsewhere(url, against));
      runs.push(await ask("origin only", there, { client, flags, ctx }));
    }
    ctx.finish(loadResult(runs, {
      url: flags.load!,
      objects: urls.length,
      asked: new Set(drawn).size,
      zipf: flags.zipf,
    }));
    if (ctx.signal.aborted) return; // What was measured until then is told.
    if (runs.every(({ requests, failed }) => failed === requests)) {
      throw new RunError(
        "load-refused",
        `Cannot measure: not one of ${
          counted(flags.requests, "request")
        } to ${flags.load} was answered with 200; the last: ${
          runs[0]!.lastFailure
        }`,
      );
    }
  } finally {
    client.close();
  }
}

function checkFlags(
  { load, requests, concurrency, catalogue, against }: LoadFlags,
) {
  if (against !== undefined && /[?#]/.test(against)) {
    throw new InputError(
      `--against is the URL of a server, without query and fragment, got "${against}"`,
    );
  }
  if (requests < 1 || requests > MAX_REQUESTS) {
    throw new InputError(`--requests must be from 1 to ${MAX_REQUESTS}`);
  }
  if (concurrency < 1 || concurrency > 1024) {
    throw new InputError("--concurrency must be from 1 to 1024");
  }
  if (catalogue === 0 || (catalogue ?? 0) > MAX_OBJECTS) {
    throw new InputError(`--catalogue must be from 1 to ${MAX_OBJECTS}`);
  }
  if (!isManifestUrl(load!) && !load!.includes("{n}")) {
    throw new InputError(
      `--load must be the URL of a manifest (.mpd), or have {n} for the number of an object, got "${load}"`,
    );
  }
}

function isManifestUrl(url: string): boolean {
  return new URL(url).pathname.toLowerCase().endsWith(".mpd");
}

/** The URLs there are to ask for. */
async function catalogueOf(
  flags: LoadFlags,
  ctx: RoleContext,
  client: HttpClient,
): Promise<readonly string[]> {
  const load = flags.load!;
  if (!isManifestUrl(load)) {
    return Array.from(
      { length: flags.catalogue ?? CATALOGUE },
      (_, at) => load.replaceAll("{n}", String(at + 1)),
    );
  }
  const { status, body } = await client.send(load, request(flags, ctx));
  const bytes = await readBody(body && streamOf(body), {
    what: load,
    clock: ctx.clock,
    maxBytes: MAX_MPD_BYTES,
    limitMs: flags.timeout,
    signal: ctx.signal,
  });
  if (status !== 200) {
    throw new RunError(
      "manifest-refused",
      `Cannot read ${load}: the server answered ${status}`,
    );
  }
  const urls = new Set<string>();
  try {
    const mpd = parseMpd(new TextDecoder().decode(bytes), load);
    const objects = mpd.periods
      .flatMap(({ adaptationSets }) => adaptationSets)
      .flatMap(({ representations }) => representations)
      // A rate that is one file begins with its initialization.
      .flatMap(({ segments, initialization }) =>
        segments.length > 0 ? segments : initialization ?? []
      );
    for (const { urls: [url] } of objects) urls.add(url!);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read ${load}: ${error.message}`);
  }
  if (urls.size === 0) {
    throw new InputError(`Cannot read ${load}: it names no segments`);
  }
  return [...urls].slice(0, flags.catalogue ?? MAX_OBJECTS);
}

function request({ timeout }: LoadFlags, { signal }: RoleContext) {
  return {
    method: "GET",
    headers: [["accept", "*/*"]] as const,
    connectMs: CONNECT_MS,
    firstByteMs: timeout,
    signal,
  };
}

/** The URL of the same object on another server, whose URL may have a path that comes first, as that of an edge's origin may. */
export function elsewhere(url: string, server: string): string {
  const { pathname, search } = new URL(url);
  const { origin, pathname: base } = new URL(server);
  return origin + base.replace(/\/+$/, "") + pathname + search;
}

/** Asks for each URL, `--concurrency` at a time. */
async function ask(
  name: string,
  urls: readonly string[],
  { client, flags, ctx }: {
    readonly client: HttpClient;
    readonly flags: LoadFlags;
    readonly ctx: RoleContext;
  },
): Promise<LoadRun> {
  const { clock } = ctx;
  const startedAtMs = clock.nowMs();
  const sum = { requests: 0, failed: 0, hits: 0, bytes: 0 };
  let lastFailure: string | undefined;
  const tookMs: number[] = [];
  let next = 0;
  let reportAtMs = startedAtMs + REPORT_MS;
  const work = async () => {
    while (next < urls.length && !ctx.signal.aborted) {
      const url = urls[next++]!;
      const fromMs = clock.nowMs();
      const got = await get(client, url, { flags, ctx });
      if (ctx.signal.aborted) return; // Cut off by us: neither answered nor failed.
      const nowMs = clock.nowMs();
      sum.requests += 1;
      if ("why" in got) {
        sum.failed += 1;
        lastFailure = got.why;
      } else {
        tookMs.push(nowMs - fromMs);
        sum.bytes += got.bytes;
        if (got.isHit) sum.hits += 1;
      }
      if (nowMs < reportAtMs) continue;
      reportAtMs = nowMs + REPORT_MS;
      ctx.emit({
        type: "load.progressed",
        server: name,
        of: urls.length,
        ...sum,
      });
    }
  };
  await Promise.all(Array.from({ length: flags.concurrency }, work));
  const durationMs = clock.nowMs() - startedAtMs;
  ctx.emit({ type: "load.finished", server: name, durationMs, ...sum });
  tookMs.sort((a, b) => a - b);
  return { name, durationMs, tookMs, ...sum, lastFailure };
}

/** Fetches one object, or says why not. */
async function get(
  client: HttpClient,
  url: string,
  { flags, ctx }: { readonly flags: LoadFlags; readonly ctx: RoleContext },
): Promise<
  | { readonly bytes: number; readonly isHit: boolean }
  | { readonly why: string }
> {
  try {
    const answer = await client.send(url, request(flags, ctx));
    const bytes = await drain(answer.body, flags, ctx);
    const isHit = isNearestHit(answer.headers.get("cache-status"));
    return answer.status === 200
      ? { bytes, isHit }
      : { why: `The server answered ${url} with status ${answer.status}` };
  } catch (error) {
    if (!ctx.signal.aborted && !(error instanceof Error)) throw error;
    return { why: messageOf(error) };
  }
}

/** Counts a body's bytes and keeps none of them; it has `--timeout` to end. */
async function drain(
  body: BodySource | null,
  { timeout }: LoadFlags,
  { clock, signal }: RoleContext,
): Promise<number> {
  if (body === null) return 0;
  const over = new LinkedAbort(signal);
  const late = clock.sleepUntil(clock.nowMs() + timeout, over.signal)
    .then(
      () => body.leave(),
      () => signal.aborted ? body.leave() : undefined,
    )
    .catch(() => {});
  let bytes = 0;
  try {
    for (;;) {
      const piece = await body.next(PIECE_BYTES);
      if (piece === null) break;
      bytes += piece.length;
    }
  } finally {
    over.abort();
    await late;
  }
  return bytes;
}
