import {
  parseBitRate,
  parseByteRate,
  parseDurationMs,
  parseSizeBytes,
} from "../core/units.ts";

/** One command-line flag. Parsing, `--help`, completion and docs all read this record. */
export interface Flag<T> {
  readonly help: string;
  /** What the value looks like in help: `PORT`, `HOST:PORT`, `BYTES/S`; "" for a switch. */
  readonly placeholder: string;
  /** Shown in help as typed, parsed like the user's text; undefined means "not given", with {@linkcode Flag.absent} as value. */
  readonly defaultText: string | undefined;
  /** The value when the flag is neither given nor has a default. */
  readonly absent: T;
  readonly kind: "value" | "switch" | "list";
  /** One letter that stands for it: `o` makes `-o FILE`. */
  readonly short?: string;
  /** Its value is for nobody else: `/config` does not tell it. */
  readonly secret?: true;
  /** Nothing is a value of it, too: `--message ''`. */
  readonly mayBeEmpty?: true;
  /** Words to complete, for choices. */
  readonly choices?: readonly string[];
  /** The flag of its mode without which it has no effect. */
  readonly onlyWith?: string;
  /** The flags of its mode beside which it has no effect. */
  readonly neverWith?: readonly string[];
  /** @throws {RangeError} If `text` is not a value of this flag; the message says what would be. A list parses each text. */
  parse(text: string): T;
}

/** A record of flags: keys in camelCase, `--kebab-case` on the command line. */
// deno-lint-ignore no-explicit-any
export type Flags = Readonly<Record<string, Flag<any>>>;

/** The values that {@linkcode Flags} parse to. */
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** A host and a port as typed: `10.0.0.1:53`, `[::1]:53`, `example.net:53`. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Common {
  readonly help: string;
  readonly placeholder?: string;
  readonly short?: string;
  readonly secret?: true;
  readonly mayBeEmpty?: true;
}

function valueFlag<T>(
  options: Common & { readonly default?: string },
  placeholder: string,
  parse: (text: string) => T,
): Flag<T> | Flag<T | undefined> {
  return {
    help: options.help,
    placeholder: options.placeholder ?? placeholder,
    defaultText: options.default,
    absent: undefined,
    kind: "value",
    ...(options.short === undefined ? {} : { short: options.short }),
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    ...(options.mayBeEmpty === undefined ? {} : { mayBeEmpty: true }),
    parse,
  };
}

/** What a constructor of a value flag looks like: with a default its value is always there. */
interface ValueFlag<T> {
  (options: Common & { readonly default: string }): Flag<T>;
  (options: Common): Flag<T | undefined>;
}

function define<T>(
  placeholder: string,
  parse: (text: string) => T,
): ValueFlag<T> {
  return ((options: Common & { readonly default?: string }) =>
    valueFlag(options, placeholder, parse)) as ValueFlag<T>;
}

function integer(text: string, what: string, min: number, max: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new RangeError(
      `must be ${what} from ${min} to ${max}, got "${text}"`,
    );
  }
  return value;
}

/** Splits `HOST:PORT`; IPv6 addresses stand in brackets. @throws {RangeError} If it is not one. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):([0-9]{1,5})$/.exec(
    text,
  );
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) {
    throw new RangeError(
      `must be HOST:PORT, such as 127.0.0.1:53 or [::1]:53, got "${text}"`,
    );
  }
  return { host, port };
}

/** The kinds of flags. Each returns a record for a mode's `flags`. Defaults are written as a user would type them. */
export const flag = {
  /** Any text. */
  text: define("TEXT", (text) => text),
  /** A port, 0 to 65535. */
  port: define("PORT", (text) => integer(text, "a port", 0, 65535)),
  /** A whole number, 0 to 2^53 - 1. */
  count: define(
    "N",
    (text) => integer(text, "a whole number", 0, Number.MAX_SAFE_INTEGER),
  ),
  /** Whole numbers with commas between them, such as `1,2,5`; each is taken once, in rising order. */
  counts: define("N,N", (text) => {
    const each = text.split(",").map((part) =>
      integer(
        part.trim(),
        "whole numbers with commas,",
        0,
        Number.MAX_SAFE_INTEGER,
      )
    );
    return [...new Set(each)].sort((a, b) => a - b) as readonly number[];
  }),
  /** A number, such as 1.5; not negative. */
  number: define("X", (text) => {
    if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) {
      throw new RangeError(`must be a number such as 1.5, got "${text}"`);
    }
    return Number(text);
  }),
  /** A probability, 0 to 1. */
  probability: define("P", (text) => {
    const value = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : NaN;
    if (!(value >= 0 && value <= 1)) {
      throw new RangeError(
        `must be a probability from 0 to 1, such as 0.3, got "${text}"`,
      );
    }
    return value;
  }),
  /** A duration such as `250ms`, `5s`, `2min`; the value is in milliseconds. */
  duration: define("TIME", parseDurationMs),
  /** A size such as `10MiB`; the value is in bytes. */
  size: define("SIZE", parseSizeBytes),
  /** A data rate such as `10MiB/s`; the value is in bytes per second. */
  byteRate: define("BYTES/S", parseByteRate),
  /** A bit rate such as `2500k` or `8Mbit/s`; the value is in bits per second. */
  bitRate: define("BITS/S", parseBitRate),
  /** `HOST:PORT` of somebody else, so not port 0. */
  hostPort: define("HOST:PORT", (text) => {
    const found = parseHostPort(text);
    if (found.port > 0) return found;
    throw new RangeError(`must have a port from 1 to 65535, got "${text}"`);
  }),
  /** A path of a file or folder. */
  path: define("PATH", (text) => {
    if (text === "") throw new RangeError("must be a path, got nothing");
    return text;
  }),
  /** An http: or https: URL. */
  url: define("URL", (text) => {
    let url: URL | undefined;
    try {
      url = new URL(text);
    } catch { /* said below */ }
    if (url?.protocol !== "http:" && url?.protocol !== "https:") {
      throw new RangeError(
        `must be a URL such as http://10.0.0.1:8080/, got "${text}"`,
      );
    }
    return text;
  }),
  /** One of a few words. */
  choice<const C extends string>(
    choices: readonly C[],
    options: { readonly help: string; readonly default: C },
  ): Flag<C> {
    return {
      help: options.help,
      placeholder: choices.join("|"),
      defaultText: options.default,
      absent: options.default,
      kind: "value",
      choices,
      parse(text) {
        const found = choices.find((choice) => choice === text);
        if (found === undefined) {
          throw new RangeError(
            `must be one of ${choices.join(", ")}, got "${text}"`,
          );
        }
        return found;
      },
    };
  },
  /** On or off: `--json`. */
  toggle(options: { readonly help: string }): Flag<boolean> {
    return {
      help: options.help,
      placeholder: "",
      defaultText: undefined,
      absent: false,
      kind: "switch",
      parse: (text) => text !== "false",
    };
  },
  /** A flag that may be given several times: `flag.list(flag.url({ help }))`. */
  list<T>(each: Flag<T>): Flag<readonly NonNullable<T>[]> {
    return {
      help: `${each.help} (repeatable)`,
      placeholder: each.placeholder,
      defaultText: undefined,
      absent: [],
      kind: "list",
      parse: (text) => [each.parse(text)] as unknown as NonNullable<T>[],
    };
  },
};

/**
 * Flags that have no effect unless `key` is given too: alone they are refused, for nobody else would say so.
 *
 * @param key In camelCase, a flag of the same mode.
 */
export function onlyWith<F extends Flags>(key: string, flags: F): F {
  return mapped(flags, () => ({ onlyWith: key }));
}

/** The same of flags that have no effect when one of `keys` is given, or of those that an earlier call named. */
export function neverWith<F extends Flags>(
  keys: readonly string[],
  flags: F,
): F {
  return mapped(flags, ({ neverWith = [] }) => ({
    neverWith: [...neverWith, ...keys],
  }));
}

function mapped<F extends Flags>(
  flags: F,
  more: (flag: Flag<unknown>) => Partial<Flag<unknown>>,
): F {
  const entries = Object.entries(flags);
  return Object.fromEntries(
    entries.map(([key, flag]) => [key, { ...flag, ...more(flag) }]),
  ) as F;
}

/** `--host` and `--port` of a server. */
export function serverFlags(
  options: { readonly port: number },
): { readonly host: Flag<string>; readonly port: Flag<number> } {
  return {
    host: {
      help: "Address to bind; without it all addresses, IPv4 and IPv6",
      placeholder: "ADDR",
      defaultText: undefined,
      absent: "",
      kind: "value",
      parse: (text) => text,
    },
    port: flag.port({
      default: String(options.port),
      help: "Port to bind; 0 takes a free one",
    }),
  };
}

/** `--head-timeout` of an HTTP server, in milliseconds. */
export const headTimeoutFlag: Flag<number> = {
  help:
    "Longest that the head of a request may take to come; then it is cut off (not with TLS)",
  placeholder: "TIME",
  defaultText: "10s",
  absent: 10_000,
  kind: "value",
  parse: (text) => {
    const timeoutMs = parseDurationMs(text);
    if (timeoutMs < 1000) {
      throw new RangeError(`must be at least 1s, got "${text}"`);
    }
    return timeoutMs;
  },
};
