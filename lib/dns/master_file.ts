/** Master files, the text form of zones (RFC 1035 §5): what other name servers read, too. */
import { CLASSES, RECORD_TYPES, typeName, typeNumber } from "./codes.ts";
import { readLines, ZoneFileError, type ZoneLine } from "./master_lines.ts";
import { displayName, isWithin, type Name, parseName } from "./name.ts";
import { parseRdata, parseSeconds, type Word } from "./rdata.ts";
import type { ZoneData, ZoneRecord } from "./zone.ts";

/** Reads text as `parse` does, and says the line when it cannot. */
function onLine<T>(line: ZoneLine, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ZoneFileError(line.number, error.message, error);
  }
}

function isTtl(word: Word): boolean {
  return /^[0-9]/.test(word.text) && !word.quoted;
}

/** The state that runs through a file. */
class Parser {
  readonly records: ZoneRecord[] = [];
  #origin: Name | undefined;
  #owner: Name | undefined;
  #defaultTtl: number | undefined;
  #lastTtl: number | undefined;

  constructor(
    options: { readonly origin?: Name; readonly ttlSeconds?: number },
  ) {
    this.#origin = options.origin;
    this.#defaultTtl = options.ttlSeconds;
  }

  line(line: ZoneLine): void {
    const first = line.words[0];
    if (first === undefined) return;
    if (first.text.startsWith("$") && !first.quoted && !line.startsBlank) {
      this.#directive(first.text.toUpperCase(), line.words);
    } else this.#record(line);
  }

  #directive(directive: string, words: readonly Word[]): void {
    const argument = words[1]?.text;
    if (argument === undefined || words.length > 2) {
      throw new SyntaxError(
        `${directive} takes one word, got ${words.length - 1}`,
      );
    }
    if (directive === "$ORIGIN") this.#origin = this.#name(argument);
    else if (directive === "$TTL") this.#defaultTtl = parseSeconds(argument);
    else {
      throw new SyntaxError(
        `must be $ORIGIN or $TTL (others are not supported), got ${directive}`,
      );
    }
  }

  #name(text: string): Name {
    if (this.#origin === undefined && (text === "@" || !text.endsWith("."))) {
      throw new SyntaxError(
        `must be a name with a dot at its end while there is no $ORIGIN, got "${text}"`,
      );
    }
    return text === "@" ? this.#known() : parseName(text, this.#origin);
  }

  #known(): Name {
    return this.#origin ?? parseName(".");
  }

  /** `[owner] [ttl] [class] type data`, ttl and class in any order. */
  #record(line: ZoneLine): void {
    let at = 0;
    if (!line.startsBlank) {
      this.#owner = this.#name(line.words[0]?.text ?? "");
      at = 1;
    }
    const owner = this.#owner;
    if (owner === undefined) {
      throw new SyntaxError("the first record has no owner to take over");
    }
    let ttl: number | undefined;
    let hasClass = false;
    for (;; at++) {
      const word = line.words[at];
      if (word === undefined) break;
      if (ttl === undefined && isTtl(word)) ttl = parseSeconds(word.text);
      else if (!hasClass && /^(IN|CH|HS|CS)$/i.test(word.text)) {
        if (word.text.toUpperCase() !== "IN") {
          throw new SyntaxError(`the class must be IN, got ${word.text}`);
        }
        hasClass = true;
      } else break;
    }
    const typeWord = line.words[at]?.text ?? "";
    const type = typeNumber(typeWord);
    if (
      type === undefined || type === RECORD_TYPES.OPT ||
      (type >= RECORD_TYPES.IXFR && type <= CLASSES.ANY)
    ) {
      throw new SyntaxError(
        `must be a record type such as A, CNAME or SOA, got "${typeWord}"`,
      );
    }
    const data = line.words.slice(at + 1);
    this.#add(owner, type, { ttl, data, line: line.number });
  }

  #add(
    name: Name,
    type: number,
    { ttl, data, line }: {
      readonly ttl: number | undefined;
      readonly data: readonly Word[];
      readonly line: number;
    },
  ): void {
    const rdata = parseRdata(type, data, this.#known());
    const ttlSeconds = ttl ?? this.#defaultTtl ?? this.#lastTtl ??
      // RFC 1035 §3.3.13: the last field of the SOA is the least TTL of a zone
      (type === RECORD_TYPES.SOA
        ? parseSeconds(data[6]?.text ?? "")
        : undefined);
    if (ttlSeconds === undefined) {
      throw new SyntaxError("the record has no TTL, and there is no $TTL");
    }
    this.#lastTtl = ttlSeconds;
    this.records.push({ name, type, ttlSeconds, rdata, line });
    if (type === RECORD_TYPES.SOA) this.#origin ??= name;
  }
}

/**
 * Reads records in the form of a master file, such as one line of it.
 *
 * @param origin What names without a dot at their end are relative to.
 * @throws {ZoneFileError} If a line is none.
 */
export function parseRecords(
  text: string,
  options: { readonly origin?: Name; readonly ttlSeconds?: number } = {},
): ZoneRecord[] {
  const parser = new Parser(options);
  for (const line of readLines(text)) onLine(line, () => parser.line(line));
  return parser.records;
}

/**
 * Reads a master file. Each SOA record begins a zone, so that one file can hold several.
 *
 * Not supported: $INCLUDE, and $GENERATE, which is BIND's own.
 *
 * @throws {SyntaxError} A {@linkcode ZoneFileError} if a line is none or its record belongs to no zone; another if there is no zone.
 */
export function parseMasterFile(text: string): ZoneData[] {
  const parser = new Parser({});
  const zones: (ZoneData & { readonly records: ZoneRecord[] })[] = [];
  let taken = 0;
  for (const line of readLines(text)) {
    onLine(line, () => {
      parser.line(line);
      const record = parser.records[taken];
      if (record === undefined) return;
      taken += 1;
      if (record.type === RECORD_TYPES.SOA) {
        zones.push({
          origin: record.name,
          records: [],
          edges: [],
          sites: [],
          redirects: [],
        });
      }
      const zone = zones.at(-1);
      if (zone === undefined) {
        throw new SyntaxError(
          `the first record of a zone is its SOA, got ${typeName(record.type)}`,
        );
      }
      if (!isWithin(record.name, zone.origin)) {
        throw new SyntaxError(
          `${displayName(record.name)} is not in the zone ${
            displayName(zone.origin)
          }`,
        );
      }
      zone.records.push(record);
    });
  }
  if (zones.length === 0) throw new SyntaxError("there is no SOA record in it");
  return zones;
}
