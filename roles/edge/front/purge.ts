import { formatHostPort } from "../../../lib/core/address.ts";
import { utf8 } from "../../../lib/core/bytes.ts";
import type { Tiers } from "../../../lib/http/cache/tiers.ts";
import {
  Fields,
  type FieldSource,
  splitList,
} from "../../../lib/http/fields.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** Most tags of one request. */
const MAX_TAGS = 256;

/** What is to be forgotten. */
export type PurgeOrder =
  /** One URL with all its variants. */
  | { readonly kind: "url"; readonly what: string }
  /** Every URL that begins so. */
  | { readonly kind: "prefix"; readonly what: string }
  /** Every response whose `Cache-Tag` or `Surrogate-Key` names one of these. */
  | { readonly kind: "tag"; readonly what: string };

/** Purging on request: `PURGE` on the edge itself, and `POST /purge` on the admin endpoint. Both need the token. */
export class Purger {
  readonly #token: string | undefined;
  readonly #forget: (order: PurgeOrder) => number | Promise<number>;
  readonly #ctx: Pick<RoleContext, "emit">;

  /** Without a token nobody may purge. */
  constructor(
    ctx: Pick<RoleContext, "emit">,
    options: {
      readonly token: string | undefined;
      /** Forgets what is to be; returns how many responses it were. */
      readonly forget: (order: PurgeOrder) => number | Promise<number>;
    },
  ) {
    this.#ctx = ctx;
    this.#token = options.token;
    this.#forget = options.forget;
  }

  /**
   * Answers `PURGE /path`. A path that ends with `*` is a prefix; with a field `Cache-Tag` or `Surrogate-Key` the path
   * does not matter.
   */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { headers, target } = request;
    const refused = this.#refusal(headers, formatHostPort(request.remote));
    if (refused !== undefined) return plain(refused.status, refused.message);
    const tags = tagsOf(headers).slice(0, MAX_TAGS);
    const order = tags.length > 0
      ? { kind: "tag" as const, what: tags.join(",") }
      : target.endsWith("*")
      ? { kind: "prefix" as const, what: target.slice(0, -1) }
      : { kind: "url" as const, what: target };
    return plain(200, await this.#purge(order));
  }

  /** Answers `POST /purge?url=…`, `?prefix=…` or `?tag=…` on the admin endpoint. */
  async answerAdmin(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      return new Response("Purging is asked for with POST\n", {
        status: 405,
        headers: { allow: "POST" },
      });
    }
    const refused = this.#refusal(request.headers, "admin");
    if (refused !== undefined) {
      return new Response(`${refused.message}\n`, {
        status: refused.status,
        headers: CHALLENGE,
      });
    }
    const { searchParams } = new URL(request.url);
    for (const kind of ["url", "prefix", "tag"] as const) {
      const what = searchParams.get(kind);
      if (what !== null && what !== "") {
        return new Response(`${await this.#purge({ kind, what })}\n`);
      }
    }
    return new Response("Say what: /purge?url=, ?prefix= or ?tag=\n", {
      status: 400,
    });
  }

  async #purge({ kind, what }: PurgeOrder): Promise<string> {
    const objects = await this.#forget({ kind, what });
    this.#ctx.emit({ type: "cache.purged", kind, what, objects });
    return `Purged ${objects}`;
  }

  /** Why this request may not purge; undefined when it may. */
  #refusal(
    fields: FieldSource,
    remote: string,
  ): { readonly status: number; readonly message: string } | undefined {
    const refuse = (status: number, message: string) => {
      this.#ctx.emit({ type: "purge.refused", remote, status });
      return { status, message };
    };
    if (this.#token === undefined) {
      return refuse(403, "Purging is off: the edge has no --purge-token");
    }
    const given = tokenIn(fields);
    if (given === undefined) {
      return refuse(401, "Purging needs the token: Authorization: Bearer …");
    }
    return isSame(given, this.#token)
      ? undefined
      : refuse(403, "That is not the token");
  }
}

/** Forgets what is to be of a cache; returns how many responses it were. */
export function forgetIn(
  tiers: Pick<Tiers, "forgetAll" | "forgetWhere">,
  { kind, what }: PurgeOrder,
): number {
  switch (kind) {
    case "url": {
      const key = normaliseTarget(pathOf(what));
      return key === undefined ? 0 : tiers.forgetAll(key);
    }
    case "prefix": {
      const prefix = normaliseTarget(pathOf(what));
      return prefix === undefined
        ? 0
        : tiers.forgetWhere(({ key }) => key.startsWith(prefix));
    }
    case "tag": {
      const wanted = new Set(what.split(",").map((tag) => tag.trim()));
      return tiers.forgetWhere(({ fields }) =>
        tagsOf(fields).some((tag) => wanted.has(tag))
      );
    }
  }
}

const CHALLENGE = { "www-authenticate": 'Bearer realm="purge"' };

/** `Authorization: Bearer T`, or `X-Purge-Token: T`. */
function tokenIn(fields: FieldSource): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(fields.get("authorization") ?? "");
  return bearer?.[1] ?? fields.get("x-purge-token") ?? undefined;
}

/** Takes as long whichever place is the first that differs. */
function isSame(given: string, token: string): boolean {
  const a = utf8(given);
  const b = utf8(token);
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) difference |= (a[at] ?? 0) ^ b[at]!;
  return difference === 0;
}

/** `Cache-Tag` has commas between its tags, `Surrogate-Key` spaces. */
function tagsOf(fields: FieldSource): readonly string[] {
  const tags = fields.get("cache-tag");
  const keys = fields.get("surrogate-key");
  if (tags === null && keys === null) return [];
  return [
    ...splitList(tags),
    ...(keys ?? "").split(/[ ,]+/).filter((key) => key !== ""),
  ];
}

/** A URL may be given whole: only its path and query count here. */
function pathOf(what: string): string {
  return what.replace(/^https?:\/\/[^/]*/i, "") || "/";
}

function plain(status: number, message: string): HttpResponse {
  return {
    status,
    headers: new Fields([
      ["content-type", "text/plain; charset=utf-8"],
      ["cache-control", "no-store"],
      ...(status === 401
        ? Object.entries(CHALLENGE) as [string, string][]
        : []),
    ]),
    body: utf8(`${message}\n`),
  };
}
