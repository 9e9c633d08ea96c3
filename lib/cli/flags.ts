import { parseCidr } from "../core/address.ts";
import {
  parseBitRate,
  parseByteRate,
  parseDurationMs,
  parseSizeBytes,
} from "../core/units.ts";
import { nearest } from "./nearest.ts";

/** One command-line flag. Parsing, `--help`, completion and docs all read this record. */
export interface Flag<T> {
  readonly help: string;
  /** What the value looks like in help: `PORT`, `HOST:PORT`, `BYTES/S`; "" for a switch. */
  readonly placeholder: string;
  /** Shown in help as typed, parsed like the user's text; undefined means "not given", with {@linkcode Flag.absent} as value. */
  readonly defaultText: string | undefined;
  /** The value when the flag is neither given nor has a default; `undefined` if there is none. */
  readonly absent?: T;
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

/** What is said of a flag beside its kind. */
export interface FlagOptions {
  readonly help: string;
  readonly placeholder?: string;
  readonly short?: string;
  readonly secret?: true;
  readonly mayBeEmpty?: true;
  readonly choices?: readonly string[];
}

/** Makes a flag of one kind. With a default its value is always there. */
export interface FlagKind<T> {
  (options: FlagOptions & { readonly default: string }): Flag<T>;
  (options: FlagOptions): Flag<T | undefined>;
}

/**
 * The kind of flags whose value `parse` reads, for those that {@linkcode flag} does not have.
 *
 * @param parse Throws a RangeError that says what would be a value.
 */
export function flagKind<T>(
  placeholder: string,
  parse: (text: string) => T,
): FlagKind<T> {
  return (
    { default: defaultText, ...options }: FlagOptions & {
      readonly default?: string;
    },
  ): Flag<T> => ({
    placeholder,
    defaultText,
    kind: "value",
    ...options,
    parse,
  });
}

function integer(text: string, what: string, min: number, max: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new RangeError(
      max === Number.MAX_SAFE_INTEGER
        ? `must be ${what}, got "${text}"`
        : `must be ${what} from ${min} to ${max}, got "${text}"`,
    );
  }
  return value;
}

/** Splits `HOST:PORT`; IPv6 addresses stand in brackets. @throws {RangeError} If it is not one. */
function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):([0-9]{1,5})$/.exec(
    text,
  );
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) {
    throw new RangeError(
      /^[^\s:[\]/]+$/.test(text)
        ? `must be HOST:PORT, and "${text}" has no port`
        : `must be HOST:PORT, such as 127.0.0.1:53 or [::1]:53, got "${text}"`,
    );
  }
  return { host, port };
}

/** The kinds of flags. Each returns a record for a mode's `flags`. Defaults are written as a user would type them. */
export const flag = {
  /** Any text. */
  text: flagKind("TEXT", (text) => text),
  /** A port, 0 to 65535. */
  port: flagKind("PORT", (text) => integer(text, "a port", 0, 65535)),
  /** A whole number, 0 to 2^53 - 1. */
  count: flagKind(
    "N",
    (text) =>
      integer(text, "a whole number such as 4", 0, Number.MAX_SAFE_INTEGER),
  ),
  /** Whole numbers with commas between them, such as `1,2,5`; each is taken once, in rising order. */
  counts: flagKind("N,N", (text) => {
    const each = text.split(",").map((part) =>
      integer(
        part.trim(),
        "whole numbers with commas between them, such as 1,2,5",
        0,
        Number.MAX_SAFE_INTEGER,
      )
    );
    return [...new Set(each)].sort((a, b) => a - b) as readonly number[];
  }),
  /** A number, such as 1.5; not negative. */
  number: flagKind("X", (text) => {
    if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) {
      throw new RangeError(`must be a number such as 1.5, got "${text}"`);
    }
    return Number(text);
  }),
  /** A probability or a share, 0 to 1. */
  probability: flagKind("P", (text) => {
    const value = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : NaN;
    if (!(value >= 0 && value <= 1)) {
      throw new RangeError(
        `must be a number from 0 to 1, such as 0.3, got "${text}"`,
      );
    }
    return value;
  }),
  /** A duration such as `250ms`, `5s`, `2min`; the value is in milliseconds. */
  duration: flagKind("TIME", parseDurationMs),
  /** A size such as `10MiB`; the value is in bytes. */
  size: flagKind("SIZE", parseSizeBytes),
  /** A data rate such as `10MiB/s`; the value is in bytes per second. */
  byteRate: flagKind("BYTES/S", parseByteRate),
  /** A bit rate such as `2500k` or `8Mbit/s`; the value is in bits per second. */
  bitRate: flagKind("BITS/S", parseBitRate),
  /** `HOST:PORT` of somebody else, so not port 0. */
  hostPort: flagKind("HOST:PORT", (text) => {
    const found = parseHostPort(text);
    if (found.port > 0) return found;
    throw new RangeError(`must have a port from 1 to 65535, got "${text}"`);
  }),
  /** A network, such as `10.1.0.0/16`. */
  cidr: flagKind("CIDR", parseCidr),
  /** A path of a file or folder. */
  path: flagKind("PATH", (text) => {
    if (text === "") throw new RangeError("must be a path, got nothing");
    return text;
  }),
  /** An http: or https: URL. */
  url: flagKind("URL", (text) => {
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
  choice,
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

function choice<const C extends string>(
  choices: readonly C[],
  options: FlagOptions & { readonly default: C },
): Flag<C>;
function choice<const C extends string>(
  choices: readonly C[],
  options: FlagOptions,
): Flag<C | undefined>;
function choice<const C extends string>(
  choices: readonly C[],
  options: FlagOptions,
): Flag<C | undefined> {
  const kind = flagKind(choices.join("|"), (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const near = nearest(text, choices);
    throw new RangeError(
      `must be one of ${choices.join(", ")}, got "${text}"${
        near === undefined ? "" : `; did you mean ${near}?`
      }`,
    );
  });
  return kind({ choices, ...options });
}

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

/** An address of this machine, or nothing: then it is any of them. */
export function ownAddressFlag(
  options: { readonly help: string },
): Flag<string> {
  return {
    ...{ help: options.help, placeholder: "ADDR", kind: "value" },
    ...{ defaultText: undefined, absent: "" },
    parse: (text) => text,
  };
}

/** `--host` and `--port` of a server. */
export function serverFlags(
  options: { readonly port: number },
): { readonly host: Flag<string>; readonly port: Flag<number> } {
  return {
    host: ownAddressFlag({
      help: "Address to bind; without it all addresses, IPv4 and IPv6",
    }),
    port: flag.port({
      default: String(options.port),
      help: "Port to bind; 0 takes a free one",
    }),
  };
}

/** `--engine` of a server: how its sockets are read and written. */
export function engineFlag(
  by: "auto" | "portable",
): Flag<"auto" | "portable" | "batch"> {
  return flag.choice(["auto", "portable", "batch"], {
    default: by,
    help:
      "How sockets are read and written: portable, one by one; batch, many with one system call (Linux; from source with --allow-ffi); auto, the second where it can be had",
  });
}

/** `--head-timeout` of an HTTP server, in milliseconds. */
const headTimeoutFlag: Flag<number> = flagKind("TIME", (text) => {
  const timeoutMs = parseDurationMs(text);
  if (timeoutMs >= 1000) return timeoutMs;
  throw new RangeError(`must be at least 1s, got "${text}"`);
})({
  default: "10s",
  help:
    "Longest that the head of a request may take to come; then it is cut off (not with TLS)",
});

/** Flags of a server of HTTP without TLS. */
export const HTTP_FLAGS = {
  headTimeout: headTimeoutFlag,
  engine: engineFlag("auto"),
};
