import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import type {
  AdaptationSet,
  Mpd,
  Representation,
  SegmentLocation,
} from "../../../lib/dash/mpd/mpd.ts";
import {
  IndexReading,
  MAX_INDEX_BYTES,
  SidxError,
} from "../../../lib/dash/mpd/sidx.ts";
import type { Fetcher } from "../network/fetcher.ts";

/**
 * Fetches the segment indexes a manifest refers to (SegmentBase): returns it with the segments in it.
 *
 * Those of text are left alone: text is not played.
 *
 * @throws {RunError} If one is to be had nowhere. @throws {InputError} If it is none.
 */
export async function readIndexes(mpd: Mpd, fetcher: Fetcher): Promise<Mpd> {
  const ofSet = async (set: AdaptationSet): Promise<AdaptationSet> => {
    if (set.contentType === "text") return set;
    const representations: Representation[] = [];
    for (const each of set.representations) {
      representations.push(await readIndex(each, fetcher));
    }
    return { ...set, representations };
  };
  const periods = [];
  for (const period of mpd.periods) {
    const adaptationSets = [];
    for (const set of period.adaptationSets) {
      adaptationSets.push(await ofSet(set));
    }
    periods.push({ ...period, adaptationSets });
  }
  return { ...mpd, periods };
}

async function readIndex(
  representation: Representation,
  fetcher: Fetcher,
): Promise<Representation> {
  const reading = new IndexReading(representation);
  for (let next = reading.next; next !== undefined; next = reading.next) {
    try {
      reading.take(await fetchIndex(next, fetcher));
    } catch (error) {
      if (!(error instanceof SidxError)) throw error;
      throw new InputError(
        `Representation ${representation.id}, ${
          next.urls[0]
        }: ${error.message}`,
        { cause: error },
      );
    }
  }
  return reading.representation;
}

async function fetchIndex(
  { urls, range }: SegmentLocation,
  fetcher: Fetcher,
): Promise<Uint8Array> {
  let problem = "";
  for (const url of urls) {
    const collected = new ByteCollector();
    const got = await fetcher.get(url, {
      range,
      sink: (bytes) => {
        if (collected.length + bytes.length > MAX_INDEX_BYTES) {
          throw new RunError(
            "too-large",
            `an index of more than ${MAX_INDEX_BYTES} bytes`,
          );
        }
        collected.push(bytes);
      },
    });
    if (got.ok) return collected.bytes;
    problem = `${url}: ${got.problem}`;
  }
  throw new RunError(
    "index-unavailable",
    `Cannot go on: the segment index cannot be had, last ${problem}`,
  );
}
