/** Master files, the text form of zones (RFC 1035 §5): what other name servers read, too. */
import { equalBytes } from "../../core/bytes.ts";
import { atOnce, STEP_ITEMS } from "../../core/steps.ts";
import { isDataType, RECORD_TYPES, typeName, typeNumber } from "../codes.ts";
import {
  displayName,
  equalNames,
  isWithin,
  type Name,
  parseName,
} from "../name.ts";
import { parseRdata, parseSeconds, type Word } from "../rdata.ts";
import { readLines, ZoneFileError, type ZoneLine } from "./master_lines.ts";
import type { ZoneData, ZoneRecord } from "./zone.ts";

/** Takes the lines of a text one by one, and says which one it is that `take` does not like. What it returns are steps to go on with. */
function* eachLine(
  text: string,
  take: (line: ZoneLine) => Generator<void, void> | void,
): Generator<void, void> {
  let count = 0;
  for (const line of readLines(text)) {
    try {
      const steps = take(line);
      if (steps !== undefined) yield* steps;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new ZoneFileError(line.number, error.message, error);
    }
    if (++count % STEP_ITEMS === 0) yield;
  }
}

const CLASS = /^(IN|CH|HS|CS|CLASS[0-9]{1,5})$/i;

function isTtl(word: Word): boolean {
  return /^[0-9]/.test(word.text) && !word.quoted;
}

/** Deepest chain of files that include each other; one that includes itself would have no end. */
const MAX_DEPTH = 8;

/** Gives the text of a file that a master file includes, by the name that stands there; undefined if there is none. */
export type Included = (name: string, by: string) => IncludedFile | undefined;

/** A file that another one includes. */
export interface IncludedFile {
  /** What the files that it includes are relative to. */
  readonly path: string;
  readonly text: string;
}

/** The state that runs through a file. */
class Parser {
  readonly records: ZoneRecord[] = [];
  readonly #included: Included;
  /** The files that are being read, the outermost first. */
  readonly #path: string[] = [];
  #origin: Name | undefined;
  #owner: Name | undefined;
  #defaultTtl: number | undefined;
  #lastTtl: number | undefined;

  constructor(
    options: {
      readonly origin?: Name;
      readonly ttlSeconds?: number;
      readonly path?: string;
      readonly included?: Included;
    },
  ) {
    this.#included = options.included ?? (() => undefined);
    this.#path.push(options.path ?? "");
    this.#origin = options.origin;
    this.#defaultTtl = options.ttlSeconds;
  }

  /** Takes a line; of one that includes a file the steps are returned. */
  line(line: ZoneLine): Generator<void, void> | void {
    const first = line.words[0];
    if (first === undefined) return;
    if (first.text.startsWith("$") && !first.quoted && !line.startsBlank) {
      const directive = first.text.toUpperCase();
      if (directive === "$INCLUDE") return this.#include(line);
      this.#directive(directive, line);
    } else this.#record(line);
  }

  #directive(directive: string, { words }: ZoneLine): void {
    if (directive !== "$ORIGIN" && directive !== "$TTL") {
      throw new SyntaxError(
        `must be $ORIGIN, $TTL or $INCLUDE (others are not supported), got ${directive}`,
      );
    }
    const argument = words[1]?.text;
    if (argument === undefined || words.length > 2) {
      throw new SyntaxError(
        `${directive} takes one word, got ${words.length - 1}`,
      );
    }
    if (directive === "$ORIGIN") this.#origin = this.#name(argument);
    else this.#defaultTtl = parseSeconds(argument);
  }

  /** `$INCLUDE file [origin]`: its records stand here; origin and owner are afterwards what they were (RFC 1035 §5.1). */
  *#include({ words, number }: ZoneLine): Generator<void, void> {
    const name = words[1]?.text;
    if (name === undefined || words.length > 3) {
      throw new SyntaxError(
        `$INCLUDE takes a file and perhaps an origin, got ${
          words.length - 1
        } words`,
      );
    }
    if (this.#path.length > MAX_DEPTH) {
      throw new SyntaxError(
        `files may include each other ${MAX_DEPTH} deep at most, got ${name}`,
      );
    }
    const file = this.#included(name, this.#path.at(-1)!);
    if (file === undefined) throw new SyntaxError(`there is no file ${name}`);
    const [origin, owner] = [this.#origin, this.#owner];
    if (words[2] !== undefined) this.#origin = this.#name(words[2].text);
    this.#path.push(file.path);
    const from = this.records.length;
    try {
      yield* eachLine(file.text, (line) => this.line(line));
    } catch (error) {
      if (!(error instanceof ZoneFileError)) throw error;
      throw new SyntaxError(`${name}, ${error.message}`, { cause: error });
    }
    for (let at = from; at < this.records.length; at++) {
      this.records[at] = { ...this.records[at]!, line: number };
    }
    this.#path.pop();
    this.#origin = origin;
    this.#owner = owner;
  }

  #name(text: string): Name {
    if (this.#origin === undefined && (text === "@" || !text.endsWith("."))) {
      throw new SyntaxError(
        `must be a name with a dot at its end, as there is no $ORIGIN before it (a line such as "$ORIGIN kingcdn.example."), got "${text}"`,
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
      else if (!hasClass && CLASS.test(word.text)) {
        // RFC 3597 §5: a class may be told by its number
        if (!/^(IN|CLASS1)$/i.test(word.text)) {
          throw new SyntaxError(`the class must be IN, got ${word.text}`);
        }
        hasClass = true;
      } else break;
    }
    const typeWord = line.words[at]?.text ?? "";
    const type = typeNumber(typeWord);
    if (type === undefined || !isDataType(type)) {
      throw new SyntaxError(
        `must be a record type such as A, CNAME or SOA, or another as TYPE666 \\# LENGTH HEX, got "${typeWord}"`,
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
    // A file without $ORIGIN: its zone is what names are relative to
    if (type === RECORD_TYPES.SOA) this.#origin ??= name;
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
  atOnce(eachLine(text, (line) => parser.line(line)));
  return parser.records;
}

/**
 * Reads a master file. Each SOA record begins a zone, so that one file can hold several.
 *
 * Not supported: $GENERATE, which is BIND's own.
 *
 * @param options.path What included files are relative to.
 * @param options.included Gives the text of those; without it there are none.
 * @throws {SyntaxError} A {@linkcode ZoneFileError} if a line is none or its record belongs to no zone; another if there is no zone.
 */
export function parseMasterFile(
  text: string,
  options: { readonly path?: string; readonly included?: Included } = {},
): ZoneData[] {
  return atOnce(masterFileSteps(text, options));
}

/** {@linkcode parseMasterFile} in steps: a large file takes its time. */
export function* masterFileSteps(
  text: string,
  options: { readonly path?: string; readonly included?: Included } = {},
): Generator<void, ZoneData[]> {
  const parser = new Parser(options);
  const zones: GrowingZone[] = [];
  let taken = 0;
  const placeAll = () => {
    for (; taken < parser.records.length; taken++) {
      place(parser.records[taken]!, zones);
    }
  };
  yield* eachLine(text, (line) => {
    const steps = parser.line(line);
    if (steps === undefined) return placeAll();
    return followed(steps, placeAll);
  });
  if (zones.length === 0) throw new SyntaxError("there is no SOA record in it");
  return zones;
}

function* followed(
  steps: Generator<void, void>,
  then: () => void,
): Generator<void, void> {
  yield* steps;
  then();
}

interface GrowingZone extends ZoneData {
  readonly records: ZoneRecord[];
}

/** Puts a record into the zone it belongs to: a SOA begins one. */
function place(record: ZoneRecord, zones: GrowingZone[]): void {
  if (record.type === RECORD_TYPES.SOA) {
    const known = zones.find(({ origin }) => equalNames(origin, record.name));
    if (known !== undefined) {
      // The end of a transfer that was written to a file
      if (equalBytes(known.records[0]!.rdata, record.rdata)) return;
      throw new SyntaxError(
        `the zone ${displayName(record.name)} has a second SOA`,
      );
    }
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
}

/** The names of the files that a master file includes; of one that cannot be read, those before the error. */
export function includesIn(text: string): string[] {
  const names: string[] = [];
  try {
    for (const { words, startsBlank } of readLines(text)) {
      const [directive, name] = words;
      if (startsBlank || name === undefined || directive!.quoted) continue;
      if (directive!.text.toUpperCase() === "$INCLUDE") names.push(name.text);
    }
  } catch (error) {
    if (!(error instanceof ZoneFileError)) throw error;
  }
  return names;
}
