/** A flag with its value, or an operand. `arg` is the argument it came from. */
export type Token =
  | { readonly operand: string }
  | {
    readonly key: string;
    readonly value: string | boolean;
    readonly arg: string;
  };

/** What the reading of an argument depends on. */
export interface Declared {
  readonly string: ReadonlySet<string>;
  readonly boolean: ReadonlySet<string>;
}

/** Reads arguments one by one. A flag that takes a value takes the next argument, unless that looks like a flag. */
export function* tokens(
  args: readonly string[],
  declared: Declared,
): Generator<Token> {
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg.startsWith("--")) yield longFlag(arg, rest, declared);
    else if (arg.length > 1 && arg.startsWith("-")) {
      yield* shortFlags(arg, rest, declared);
    } else yield { operand: arg };
  }
}

function longFlag(arg: string, rest: string[], declared: Declared): Token {
  const at = arg.indexOf("=", 3);
  if (at > 0) {
    const key = arg.slice(2, at);
    const text = arg.slice(at + 1);
    const value = declared.boolean.has(key) ? text !== "false" : text;
    return { key, value, arg };
  }
  const key = arg.slice(2);
  const value = following(key, rest, declared, /^-/);
  return { key, value, arg };
}

/** `-abc` is `-a -b -c`; the first letter with a value in the same argument (`-p80`, `-o=x`) ends it. */
function* shortFlags(
  arg: string,
  rest: string[],
  declared: Declared,
): Generator<Token> {
  for (let at = 1; at < arg.length - 1; at += 1) {
    const key = arg[at]!;
    const after = arg.slice(at + 1);
    const value = valueWithin(key, after);
    yield { key, value: value ?? without(key, declared), arg };
    if (value !== undefined && after !== "-") return;
  }
  const key = arg.at(-1)!;
  if (key === "-") return;
  yield { key, value: following(key, rest, declared, /^--?[^-]/), arg };
}

/** The value of a letter when what follows it in the same argument is one. */
function valueWithin(letter: string, after: string): string | undefined {
  if (after === "-") return after;
  if (after === "=") return "";
  const isLetter = /[A-Za-z]/.test(letter);
  const assigned = isLetter ? /=(.+)/.exec(after)?.[1] : undefined;
  if (assigned !== undefined) return assigned;
  const isNumber = isLetter && /-?\d+(\.\d*)?(e-?\d+)?$/.test(after);
  return isNumber || (after.length > 1 && /^\W/.test(after))
    ? after
    : undefined;
}

/** The value of a flag that ends its argument: the next argument if that can be one. */
function following(
  key: string,
  rest: string[],
  declared: Declared,
  looksLikeFlag: RegExp,
): string | boolean {
  const next = rest[0];
  if (next && !declared.boolean.has(key) && !looksLikeFlag.test(next)) {
    rest.shift();
    return next;
  }
  if (next === "true" || next === "false") {
    rest.shift();
    return next === "true";
  }
  return without(key, declared);
}

function without(key: string, declared: Declared): string | boolean {
  return declared.string.has(key) ? "" : true;
}
