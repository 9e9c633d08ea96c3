import { ByteCollector } from "../../lib/core/byte_collector.ts";
import { fromUtf8 } from "../../lib/core/bytes.ts";
import { InputError, RunError } from "../../lib/core/errors.ts";
import { type Mpd, parseMpd } from "../../lib/dash/mpd.ts";
import { planTitle, type Position } from "../../lib/dash/title.ts";
import { MAX_MPD_BYTES, MpdError } from "../../lib/dash/xml.ts";
import type { RoleContext } from "../../lib/role.ts";
import { Fetcher } from "./fetcher.ts";
import type { SourceFlags } from "./flags.ts";
import { readIndexes } from "./indexes.ts";
import type { Link } from "./link.ts";
import { Names } from "./names.ts";

/** A title, ready to be fetched. */
export interface OpenTitle {
  readonly fetcher: Fetcher;
  readonly positions: readonly Position[];
  readonly title: string;
  readonly mediaMs: number;
  /** From the request for the manifest to the last byte of it. */
  readonly manifestMs: number;
}

/**
 * Finds and reads the manifest.
 *
 * @param options.link What all that is fetched passes.
 * @throws {InputError} If the operand is no URL or the manifest cannot be read as one, with its line.
 * @throws {RunError} If it cannot be had.
 */
export async function openTitle(
  flags: SourceFlags & { readonly operand: string },
  ctx: RoleContext,
  options: { readonly link?: Link | undefined } = {},
): Promise<OpenTitle> {
  const url = parseUrl(flags.operand);
  const names = new Names(await resolverOf(flags, ctx), ctx);
  const fetcher = new Fetcher(ctx, names, {
    timeoutMs: flags.timeout,
    link: options.link,
  });
  const collected = new ByteCollector();
  const got = await fetcher.get(url, {
    sink: (bytes) => {
      if (collected.length + bytes.length > MAX_MPD_BYTES) {
        throw new RunError("too-large", `more than ${MAX_MPD_BYTES} bytes`);
      }
      collected.push(bytes);
    },
  });
  if (!got.ok) {
    throw new RunError(
      got.status === undefined ? "manifest-unreachable" : "manifest-refused",
      got.problem.includes(url)
        ? got.problem
        : `Cannot fetch ${url}: ${got.problem}`,
    );
  }
  const text = fromUtf8(collected.bytes);
  const mpd = await readIndexes(read(text, got.url), fetcher);
  const { title } = mpd;
  const positions = planTitle(mpd, flags.duration);
  const mediaMs = positions.reduce((sum, each) => sum + each.durationMs, 0);
  ctx.emit({
    type: "manifest.loaded",
    url: got.url,
    title,
    bytes: got.bytes,
    mediaMs,
    segmentCount: positions.length,
    bitsPerSecond: positions[0]?.choices.map((each) => each.bitsPerSecond) ??
      [],
    server: got.server,
    elapsedMs: got.downloadMs,
  });
  return { fetcher, positions, title, mediaMs, manifestMs: got.downloadMs };
}

function parseUrl(operand: string): string {
  let url: URL | undefined;
  try {
    url = new URL(operand);
  } catch { /* said below */ }
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InputError(
      `the manifest must be a URL such as http://127.0.0.1:8080/manifest.mpd, got "${operand}"`,
    );
  }
  return url.href;
}

async function resolverOf(flags: SourceFlags, ctx: RoleContext) {
  const { resolver, host, clientSubnet } = flags;
  if (resolver === undefined) {
    if (host !== "" || clientSubnet !== undefined) {
      throw new InputError(
        "--host and --client-subnet say how to ask --resolver; without it there is nobody to ask",
      );
    }
    return undefined;
  }
  const [address] = await ctx.net.resolve(resolver.host, {
    signal: ctx.signal,
  });
  return {
    resolver: { host: address!, port: resolver.port },
    host,
    clientSubnet,
  };
}

function read(text: string, url: string): Mpd {
  try {
    return parseMpd(text, url);
  } catch (error) {
    if (!(error instanceof MpdError)) throw error;
    throw new InputError(`Cannot read ${url}: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * Finds the rung `--quality` names.
 *
 * @throws {InputError} If there is none, with those there are.
 */
export function rungOf(
  quality: string,
  { choices }: Pick<Position, "choices">,
): number {
  if (quality === "lowest") return 0;
  if (quality === "highest") return choices.length - 1;
  const height = /^(\d+)p$/.exec(quality)?.[1];
  const index = choices.findLastIndex((choice) =>
    height === undefined
      ? choice.representationId === quality
      : choice.height === Number(height)
  );
  if (index >= 0) return index;
  const known = choices.map((choice) =>
    choice.height === 0 ? choice.representationId : `${choice.height}p`
  );
  throw new InputError(
    `--quality must be lowest, highest or one of ${
      known.join(", ")
    } in this title, got "${quality}"`,
  );
}
