const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
};
const SIZE_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const BITS: Readonly<Record<string, number>> = {
  "": 1,
  bit: 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  kbit: 1e3,
  Mbit: 1e6,
  Gbit: 1e9,
};

/** @param ends What may stand behind the unit. */
function scaled(
  text: string,
  units: Readonly<Record<string, number>>,
  what: string,
  ends = /$/,
): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)$/.exec(
    text.replace(ends, ""),
  );
  const unit = match === null ? undefined : units[match[2] ?? ""];
  const value = Number(match?.[1]) * (unit ?? NaN);
  if (!Number.isFinite(value)) {
    throw new RangeError(`must be ${what}, got "${text}"`);
  }
  return value;
}

/** Reads `250ms`, `5s`, `2min`, `1h` as milliseconds. A number alone needs a unit, except 0. @throws {RangeError} If it is not a duration. */
export function parseDurationMs(text: string): number {
  return text === "0"
    ? 0
    : scaled(text, DURATION_MS, "a duration such as 250ms, 5s or 2min");
}

/** Reads `512`, `64KiB`, `10MB` as whole bytes. @throws {RangeError} If it is not a size. */
export function parseSizeBytes(text: string): number {
  return Math.round(scaled(text, SIZE_BYTES, "a size such as 64KiB or 10MB"));
}

/** Reads `10MiB/s`, `500kB/s` as bytes per second. @throws {RangeError} If it is not a data rate. */
export function parseByteRate(text: string): number {
  return Math.round(
    scaled(text, SIZE_BYTES, "a data rate such as 2MiB/s", /\/s$/),
  );
}

/** Reads `2500k`, `8Mbit/s`, `400000` as bits per second. @throws {RangeError} If it is not a bit rate. */
export function parseBitRate(text: string): number {
  return Math.round(
    scaled(text, BITS, "a bit rate such as 2500k or 8Mbit/s", /(\/s|ps)$/),
  );
}

/** Writes a size for people: `1.5 MiB`, `12 B`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  let value = bytes;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  // A mean or a rate need not be whole.
  const digits = at === 0 ? 0 : value < 10 ? 2 : 1;
  return `${value.toFixed(digits)} ${units[at]}`;
}

/** Writes a bit rate for people: `2.50 Mbit/s`. */
export function formatBitRate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;
  if (bitsPerSecond >= 1e3) return `${(bitsPerSecond / 1e3).toFixed(0)} kbit/s`;
  return `${Math.round(bitsPerSecond)} bit/s`;
}

/** Writes a duration for people: `320 ms`, `12.3 s`, `2 min 05 s`. */
export function formatMs(ms: number): string {
  // Rounded first: 119.97 s are 2 min 00 s, and not 120.0 s.
  if (ms < 999.5) {
    return `${ms > 0 && ms < 9.995 ? ms.toFixed(2) : Math.round(ms)} ms`;
  }
  if (ms < 119_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${
    String(seconds % 60).padStart(2, "0")
  } s`;
}

/** Writes how many there are: `1 peer`, `2 peers`; `many` where an s will not do. */
export function counted(
  count: number,
  what: string,
  many = `${what}s`,
): string {
  return `${count} ${count === 1 ? what : many}`;
}
