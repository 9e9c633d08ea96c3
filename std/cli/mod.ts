/** Subset of @std/cli parseArgs: string/boolean/collect/negatable/alias/default/unknown/stopEarly/"--". Same argv semantics for declared options. */
type Keys<T> = T extends readonly (infer K)[] ? K & string
  : T extends string ? T
  : never;
export type ParseOptions<S, B, C, D> = {
  string?: S;
  boolean?: B;
  collect?: C;
  negatable?: readonly string[];
  alias?: Record<string, string | readonly string[]>;
  default?: D;
  stopEarly?: boolean;
  "--"?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
};
export type Args<S, B, C, D> =
  & { _: (string | number)[]; "--"?: string[] }
  & {
    [K in Keys<S>]: K extends Keys<C> ? string[]
      : K extends keyof D ? string
      : string | undefined;
  }
  & { [K in Keys<B>]: boolean }
  & Record<string, unknown>;
export function parseArgs<
  const S extends readonly string[] = [],
  const B extends readonly string[] = [],
  const C extends readonly string[] = [],
  D extends Record<string, unknown> = Record<never, never>,
>(args: readonly string[], o: ParseOptions<S, B, C, D> = {}): Args<S, B, C, D> {
  const str = new Set<string>(o.string ?? []),
    bool = new Set<string>(o.boolean ?? []),
    col = new Set<string>(o.collect ?? []),
    neg = new Set(o.negatable ?? []);
  const main = new Map<string, string>();
  const names = new Map<string, string[]>();
  for (const [k, v] of Object.entries(o.alias ?? {})) {
    const l = [v].flat() as string[];
    names.set(k, [k, ...l]);
    for (const a of l) {
      main.set(a, k);
      names.set(a, [k, ...l]);
    }
  }
  for (const s of [str, bool, col, neg]) {
    for (const k of [...s]) {
      for (const a of names.get(k) ?? []) s.add(a);
    }
  }
  const out: Record<string, unknown> = { _: [] as unknown[] },
    seen = new Set<string>();
  const num = (v: string) =>
    /^(0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i.test(v)
      ? Number(v)
      : v;
  const set = (k: string, v: unknown, arg?: string) => {
    if (
      arg !== undefined && o.unknown && !str.has(k) && !bool.has(k) &&
      !col.has(k) && !names.has(k) && o.unknown(arg, k, v) === false
    ) return;
    const x = str.has(k) || typeof v !== "string" ? v : num(v);
    for (const n of names.get(k) ?? [k]) {
      if (col.has(n) && seen.has(n)) (out[n] as unknown[]).push(x);
      else out[n] = col.has(n) ? [x] : x;
      seen.add(n);
    }
  };
  let rest: string[] = [], i = 0;
  const dd = args.indexOf("--");
  const argv = dd < 0
    ? [...args]
    : (rest = args.slice(dd + 1), args.slice(0, dd));
  for (; i < argv.length; i++) {
    const a = argv[i];
    let m: RegExpMatchArray | null;
    const value = (k: string) => {
      const n = argv[i + 1];
      if (bool.has(k)) {
        if (n === "true" || n === "false") {
          i++;
          return n === "true";
        }
        return true;
      }
      if (n !== undefined && !/^-/.test(n)) {
        i++;
        return n;
      }
      return str.has(k) ? "" : true;
    };
    if ((m = a.match(/^--no-(.+)/)) && neg.has(m[1])) set(m[1], false, a);
    else if ((m = a.match(/^--([^=]+)=([\s\S]*)$/))) {
      set(m[1], bool.has(m[1]) ? m[2] !== "false" : m[2], a);
    } else if ((m = a.match(/^--(.+)/))) set(m[1], value(m[1]), a);
    else if ((m = a.match(/^-([^-])(.*)$/s))) {
      const ls = [...m[1] + m[2]];
      for (let j = 0; j < ls.length; j++) {
        const l = ls[j], r = ls.slice(j + 1).join("");
        if (
          r &&
          (r[0] === "=" || (!bool.has(l) && (str.has(l) || /^-?\d/.test(r))))
        ) {
          set(l, r.replace(/^=/, ""), a);
          break;
        }
        set(l, r ? (str.has(l) ? "" : true) : value(l), a);
      }
    } else {
      if (!o.unknown || o.unknown(a) !== false) {
        (out._ as unknown[]).push(str.has("_") ? a : num(a));
      }
      if (o.stopEarly) {
        (out._ as unknown[]).push(...argv.slice(i + 1));
        break;
      }
    }
  }
  for (const [k, v] of Object.entries(o.default ?? {})) {
    if (!seen.has(k)) {
      for (const n of names.get(k) ?? [k]) out[n] = v;
    }
  }
  for (const k of bool) if (!(k in out)) out[k] = col.has(k) ? [] : false;
  for (const k of col) if (!(k in out) && str.has(k)) out[k] = [];
  if (o["--"]) out["--"] = rest;
  else (out._ as unknown[]).push(...rest);
  return out as Args<S, B, C, D>;
}
