const MONTHS: readonly string[] = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];
const DAYS: readonly string[] = [
  "Sun",
  "Mon",
  "Tue",
  "Wed",
  "Thu",
  "Fri",
  "Sat",
];

const FORMS: readonly RegExp[] = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  // RFC 850, obsolete: Sunday, 06-Nov-94 08:49:37 GMT
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  // asctime, obsolete: Sun Nov  6 08:49:37 1994
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
];

/**
 * Reads an HTTP date in any of its three forms (RFC 9110 §5.6.7), without regard to case (RFC 9111 §4.2). A date
 * written in another way is none, and for `Expires` that means "already expired".
 *
 * @param wallMs Now, in ms since 1970: a two-digit year more than 50 years ahead lies in the last century.
 * @returns Milliseconds since 1970 UTC, whole seconds (a leap second is the second before it), or undefined.
 */
export function parseHttpDate(
  text: string,
  wallMs: number,
): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const month = MONTHS.findIndex((name) =>
      name.toLowerCase() === parts["month"]!.toLowerCase()
    );
    const [hour, minute, second] = parts["time"]!.split(":").map(Number);
    if (month < 0 || hour! > 23 || minute! > 59 || second! > 60) {
      return undefined;
    }
    const day = Number(parts["day"]);
    const date = new Date(0);
    date.setUTCFullYear(fullYear(parts["year"]!, wallMs), month, day);
    if (date.getUTCMonth() !== month || day === 0) return undefined;
    return date.setUTCHours(hour!, minute, Math.min(second!, 59));
  }
  return undefined;
}

function fullYear(digits: string, wallMs: number): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(wallMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}

/** Writes an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`; parts of a second are dropped. */
export function formatHttpDate(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${
    MONTHS[date.getUTCMonth()]
  } ${String(date.getUTCFullYear()).padStart(4, "0")} ${
    two(date.getUTCHours())
  }:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} GMT`;
}
