/** A student's origin of video, and what its manifest says. */
import { assert, assertEquals } from "@std/assert";
import { type Answer, ask, closeAll } from "./_http.ts";
import { parseXml, type Rate, ratesOf, type Segment } from "./_mpd.ts";
import { type Graded, graded, lastingUrl } from "./_target.ts";

let shared: Promise<URL> | undefined;

/** The URL of the manifest. */
async function start(): Promise<URL> {
  const url = await lastingUrl(() => [
    ...["origin", "--duration", "21s", "--segment", "2s"],
    ...["--ladder", "240p,360p,480p", "--audio", "--addressing", "number"],
  ]);
  if (url.pathname.endsWith(".mpd")) return url;
  return new URL("manifest.mpd", url.href.replace(/\/?$/, "/"));
}

/** One point: see {@linkcode graded}. All tests share the origin. */
export function origin(
  name: string,
  run: (manifest: URL) => Promise<void>,
  options: Graded = {},
): void {
  graded(name, async (signal) => {
    signal.addEventListener("abort", closeAll);
    await run(await (shared ??= start()));
  }, options);
}

/** The rates of the manifest, lowest first. @throws {Error} If there is none. */
export async function readRates(manifest: URL): Promise<Rate[]> {
  const { status, text } = await ask(manifest);
  assertEquals(status, 200, "status of the manifest");
  const rates = ratesOf(parseXml(text), manifest);
  assert(rates.length > 0, "the manifest has no Representation");
  return rates.sort((one, other) => one.bitsPerSecond - other.bitsPerSecond);
}

/** The first segment of the best rate, as a file, and what a plain GET of it gives. */
export async function aFile(
  manifest: URL,
): Promise<{ url: URL; whole: Answer }> {
  const rates = await readRates(manifest);
  const { url } = rates.findLast((rate) => rate.isVideo)!.segments[0]!;
  const whole = await ask(url);
  assertEquals(whole.status, 200, `status of ${url.pathname}`);
  assert(whole.body.length > 100, `${url.pathname} has more than 100 B`);
  return { url, whole };
}

/** Fetches a segment, whole. */
export async function fetchSegment(
  { url, range }: Segment,
): Promise<Uint8Array> {
  const fields: Record<string, string> = range === undefined
    ? {}
    : { Range: `bytes=${range}` };
  const { status, body } = await ask(url, { fields });
  assertEquals(status, range === undefined ? 200 : 206, url.href);
  assert(body.length > 0, `${url.pathname} is empty`);
  return body;
}
