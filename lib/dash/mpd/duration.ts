const PATTERN =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?|\.\d+)S)?)?$/;

const SECONDS = [365 * 86_400, 30 * 86_400, 86_400, 3600, 60, 1];

/**
 * Reads an `xs:duration` such as `PT0H10M34.625S` as milliseconds.
 *
 * XML Schema Part 2 §3.2.6. Years count 365 days and months 30, since a media time has no calendar.
 *
 * @throws {SyntaxError} If it is none, or negative: no duration of a manifest may be.
 *
 * @example The title of the lecture
 * ```ts
 * import { parseXsDuration } from "./duration.ts";
 * parseXsDuration("PT0H10M34.625S"); // 634625
 * ```
 */
export function parseXsDuration(text: string): number {
  const match = PATTERN.exec(text.trim());
  const fields = match?.slice(1) ?? [];
  if (fields.every((field) => field === undefined) || text.endsWith("T")) {
    throw new SyntaxError(
      `Cannot read duration: must be like PT1M5.5S, got "${text}"`,
    );
  }
  let seconds = 0;
  for (const [at, field] of fields.entries()) {
    seconds += Number(field ?? 0) * (SECONDS[at] ?? 0);
  }
  if (!Number.isSafeInteger(Math.round(seconds * 1000))) {
    throw new SyntaxError(`Cannot read duration: too long, got "${text}"`);
  }
  return Math.round(seconds * 1e6) / 1000;
}
