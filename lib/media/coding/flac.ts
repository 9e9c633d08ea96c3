/**
 * The sound of the test card as FLAC (RFC 9639): a beep where a segment begins, silence elsewhere.
 *
 * FLAC is the one codec that is exact, free, small to write and played by browsers from fragmented MP4: silence is a
 * subframe that holds one value, the beep is samples as they are. AAC and Opus would need a real encoder, and no
 * browser takes PCM in MP4.
 */
import { concat } from "../../core/bytes.ts";

/** Samples a second. */
export const SAMPLE_RATE = 48_000;
/** Bits of a sample. */
const SAMPLE_BITS = 16;
const PITCH_HZ = 1000;
const AMPLITUDE = 6000;

/** CRC of `bytes` with a polynomial of 8 or 16 bits, most significant bit first, from 0. */
function crc(bytes: Uint8Array, polynomial: number, width: number): number {
  const top = 1 << (width - 1);
  const mask = (1 << width) - 1;
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) {
      value = ((value << 1) ^ (value & top ? polynomial : 0)) & mask;
    }
  }
  return value;
}

/** A number in the way of UTF-8, stretched to 31 bits (§9.1.5). */
function codedNumber(value: number): number[] {
  if (value < 0x80) return [value];
  const tail: number[] = [];
  let rest = value;
  // The first byte of n has room for 7 - n bits.
  let room = 6;
  do {
    tail.unshift(0x80 | (rest & 0x3f));
    rest = Math.floor(rest / 64);
    room -= 1;
  } while (rest >= 2 ** room);
  return [(0xff << (room + 1)) & 0xff | rest, ...tail];
}

/**
 * Returns a frame of one channel: `samples` as they are, or so many times 0.
 *
 * @param index Frames before it, below 2^31; all have the same number of samples.
 */
export function flacFrame(
  index: number,
  samples: Int16Array | number,
): Uint8Array<ArrayBuffer> {
  const count = typeof samples === "number" ? samples : samples.length;
  const head = Uint8Array.of(
    0xff,
    0xf8, // equal block sizes
    0x7a, // the block size follows in 16 bits; 48 kHz
    0x08, // one channel of 16 bits
    ...codedNumber(index),
    (count - 1) >> 8,
    (count - 1) & 0xff,
  );
  let content: Uint8Array;
  if (typeof samples === "number") {
    content = new Uint8Array(3); // constant subframe, value 0
  } else {
    content = new Uint8Array(1 + 2 * count);
    content[0] = 0x02; // verbatim subframe
    const view = new DataView(content.buffer);
    samples.forEach((sample, at) => view.setInt16(1 + 2 * at, sample));
  }
  const frame = concat(head, Uint8Array.of(crc(head, 0x07, 8)), content);
  const sum = crc(frame, 0x8005, 16);
  return concat(frame, Uint8Array.of(sum >> 8, sum & 0xff));
}

/** The beep: `count` samples of a sine that swells and fades, so that it does not click. */
export function beep(count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, at) => {
    const edge = Math.min(1, at / 480, (count - 1 - at) / 480);
    const phase = 2 * Math.PI * PITCH_HZ * at / SAMPLE_RATE;
    return Math.round(AMPLITUDE * edge * Math.sin(phase));
  });
}

/** What decoders want to know first: METADATA_BLOCK_STREAMINFO with its header (§8.1, §8.2), for blocks of one size. */
export function streamInfo(blockSamples: number): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(4 + 34);
  const view = new DataView(info.buffer);
  view.setUint32(0, 0x80000000 | 34); // the last block, STREAMINFO
  view.setUint16(4, blockSamples);
  view.setUint16(6, blockSamples);
  // Frame sizes are left unknown; then 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples (unknown).
  view.setUint32(14, (SAMPLE_RATE << 12) | ((SAMPLE_BITS - 1) << 4));
  return info;
}

/** The name of the codec in a `codecs` parameter. */
export const FLAC_CODECS = "flac";
