import { anyAddressOf, familyOf } from "../../lib/core/address.ts";
import { fromHex, toHex } from "../../lib/core/bytes.ts";
import {
  InputError,
  messageOf,
  ProtocolError,
  RunError,
} from "../../lib/core/errors.ts";
import {
  decodeScrapeReply,
  MAX_REPLY_BYTES,
  scrapeUrlOf,
} from "../../lib/bittorrent/tracker/http/client.ts";
import type { ScrapeEntry } from "../../lib/bittorrent/tracker/messages.ts";
import { MAX_UDP_SCRAPE_HASHES } from "../../lib/bittorrent/tracker/udp/messages.ts";
import {
  UdpTrackerClient,
  type UdpTrackerInput,
} from "../../lib/bittorrent/tracker/udp/client.ts";
import { drive } from "../../lib/io/drive.ts";
import { fetchFollowing } from "../../lib/io/fetch_following.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import type { Address, UdpSocket } from "../../lib/io/net.ts";
import { readBody } from "../../lib/io/read_body.ts";
import type { RoleContext } from "../../lib/role.ts";

/** A person waits: three requests, after 1, 2 and 4 of 7 parts of `--timeout`, instead of BEP 15's nine in two hours. */
const UDP_ATTEMPTS = 3;
const UDP_PARTS = 7;

/** The flags of the query. */
export interface QueryFlags {
  readonly query: string | undefined;
  readonly infoHash: readonly string[];
  readonly timeout: number;
}

/** Asks a tracker who is in its swarms, without joining one, and prints the answer (BEP 48, BEP 15). */
export async function queryTracker(
  flags: QueryFlags,
  ctx: RoleContext,
): Promise<void> {
  const url = flags.query ?? "";
  const infoHashes = flags.infoHash.map(parseInfoHash);
  let entries: readonly ScrapeEntry[];
  try {
    entries = /^udp:/i.test(url)
      ? await scrapeUdp(url, infoHashes, { ctx, timeoutMs: flags.timeout })
      : await scrapeHttp(url, infoHashes, { ctx, timeoutMs: flags.timeout });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new RunError(error.code, `Cannot query ${url}: ${error.message}`, {
      cause: error,
    });
  }
  ctx.finish({
    text: tableOf(entries),
    json: {
      tracker: url,
      torrents: entries.map(({ infoHash, ...counts }) => ({
        infoHash: toHex(infoHash),
        ...counts,
      })),
    },
  });
}

function parseInfoHash(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{40}$/.test(text)) {
    throw new InputError(
      `--info-hash must be 40 hexadecimal digits, got "${text}"`,
    );
  }
  return fromHex(text);
}

interface How {
  readonly ctx: RoleContext;
  readonly timeoutMs: number;
}

async function scrapeHttp(
  announceUrl: string,
  infoHashes: readonly Uint8Array[],
  { ctx, timeoutMs }: How,
): Promise<ScrapeEntry[]> {
  const url = /^https?:/i.test(announceUrl)
    ? scrapeUrlOf(announceUrl, infoHashes)
    : null;
  if (url === null) {
    throw new InputError(
      `--query must be an announce URL such as http://10.0.0.1:6969/announce or udp://10.0.0.1:6969, got "${announceUrl}"`,
    );
  }
  const { signal } = ctx;
  const response = await fetchFollowing(ctx.net, url, { timeoutMs, signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new RunError(
      "fetch-failed",
      `Cannot query ${announceUrl}: the answer has status ${response.status}`,
    );
  }
  const body = await readBody(response.body, {
    what: `the reply of ${announceUrl}`,
    clock: ctx.clock,
    maxBytes: MAX_REPLY_BYTES,
    limitMs: timeoutMs,
    signal,
  });
  return decodeScrapeReply(body);
}

async function scrapeUdp(
  announceUrl: string,
  infoHashes: readonly Uint8Array[],
  { ctx, timeoutMs }: How,
): Promise<readonly ScrapeEntry[]> {
  if (infoHashes.length === 0 || infoHashes.length > MAX_UDP_SCRAPE_HASHES) {
    throw new InputError(
      `--query udp://… needs 1 to ${MAX_UDP_SCRAPE_HASHES} times --info-hash: over UDP a tracker does not list its torrents`,
    );
  }
  const to = await trackerAddress(announceUrl, ctx);
  const family = familyOf(to.host);
  using done = new LinkedAbort(ctx.signal);
  const { signal } = done;
  let result: readonly ScrapeEntry[] | ProtocolError | undefined;
  const machine = new UdpTrackerClient({
    rng: ctx.rng,
    family,
    firstTimeoutMs: timeoutMs / UDP_PARTS,
    maxAttempts: UDP_ATTEMPTS,
  });
  await using socket = ctx.net.listenUdp({
    host: anyAddressOf(family),
    port: 0,
  });
  await drive(
    machine,
    inputs(socket, to, { infoHashes, signal }),
    async (output) => {
      if (output.kind === "send") return await socket.send(output.bytes, to);
      if (output.kind === "scraped") result = output.entries;
      else if (output.kind === "failed") result = output.error;
      done.abort();
    },
    { clock: ctx.clock, signal },
  );
  if (result instanceof ProtocolError) throw result;
  if (result === undefined) {
    throw new RunError("stopped", `Stopped before ${announceUrl} answered`);
  }
  return result;
}

/** First the request, then what the tracker sends, and nobody else. */
async function* inputs(
  socket: UdpSocket,
  tracker: Address,
  { infoHashes, signal }: {
    readonly infoHashes: readonly Uint8Array[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Exclude<UdpTrackerInput, { kind: "timeout" }>> {
  yield { kind: "scrape", infoHashes };
  for await (const { bytes, host, port } of socket.receive(signal)) {
    if (host === tracker.host && port === tracker.port) {
      yield { kind: "datagram", bytes };
    }
  }
}

async function trackerAddress(
  announceUrl: string,
  ctx: RoleContext,
): Promise<Address> {
  let name = "";
  let port = 0;
  try {
    // As http, so that the platform reads host and port: it knows no rules for udp.
    const url = new URL(announceUrl.replace(/^udp:/i, "http:"));
    name = url.hostname.replace(/^\[|\]$/g, "");
    port = url.port === "" ? 80 : Number(url.port);
  } catch (cause) {
    throw new InputError(
      `--query must be an announce URL such as udp://10.0.0.1:6969, got "${announceUrl}": ${
        messageOf(cause)
      }`,
    );
  }
  const [host] = await ctx.net.resolve(name, { signal: ctx.signal });
  if (host === undefined) {
    throw new RunError("name-not-found", `Cannot find ${name}: no address`);
  }
  return { host, port };
}

function tableOf(entries: readonly ScrapeEntry[]): string {
  if (entries.length === 0) return "No swarms\n";
  const rows = entries.map((entry) =>
    [
      toHex(entry.infoHash),
      String(entry.seeders).padStart(7),
      String(entry.leechers).padStart(8),
      String(entry.completed).padStart(9),
    ].join("  ")
  );
  const head = `${"info-hash".padEnd(40)}  seeders  leechers  completed`;
  return [head, ...rows, ""].join("\n");
}
