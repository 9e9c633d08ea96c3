import { Fields } from "../fields.ts";
import { Directives } from "./cache_control.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Where the bytes of an entry are. */
export interface DiskFile {
  /** Of the file, within the cache's folder. */
  readonly name: string;
  /** Of the body. */
  readonly bodyBytes: number;
  /** What the file takes. */
  readonly fileBytes: number;
}

/** What is known of a response that is kept on a disk: all but its body. */
export interface DiskEntry extends Omit<StoredResponse, "body"> {
  readonly body: DiskFile;
}

/** A {@linkcode DiskEntry} as it stands at the head of its file, as JSON: times are wall times, for no other clock outlives us. */
export interface DiskEntryText {
  readonly key: string;
  readonly variant: string;
  readonly languageVariant: string | null;
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly responseWallMs: number;
  readonly initialAgeMs: number;
  readonly lifetimeMs: number;
  readonly bodyBytes: number;
}

/** What is written of a response. */
export function diskEntryText(stored: StoredResponse): DiskEntryText {
  return {
    key: stored.key,
    variant: stored.variant,
    languageVariant: stored.languageVariant ?? null,
    status: stored.status,
    fields: [...stored.fields],
    responseWallMs: stored.responseWallMs,
    initialAgeMs: stored.initialAgeMs,
    lifetimeMs: stored.lifetimeMs,
    bodyBytes: stored.body.lengthBytes ?? 0,
  };
}

/**
 * Reads what {@linkcode diskEntryText} wrote.
 *
 * The time that passed since is told by the wall clock, and counts as none when that was set back (RFC 9111 §4.2.3
 * cannot do better either).
 */
export function diskEntryFrom(
  text: DiskEntryText,
  body: Omit<DiskFile, "bodyBytes">,
  now: { readonly nowMs: number; readonly wallMs: number },
): DiskEntry {
  const fields = new Fields(text.fields);
  return {
    key: text.key,
    variant: text.variant,
    languageVariant: text.languageVariant ?? undefined,
    status: text.status,
    fields,
    directives: Directives.ofResponse(fields),
    responseWallMs: text.responseWallMs,
    responseAtMs: now.nowMs - Math.max(0, now.wallMs - text.responseWallMs),
    initialAgeMs: text.initialAgeMs,
    lifetimeMs: text.lifetimeMs,
    body: { ...body, bodyBytes: text.bodyBytes },
  };
}

/** Whether `value` is what {@linkcode diskEntryText} makes. */
export function isDiskEntryText(value: unknown): value is DiskEntryText {
  if (typeof value !== "object" || value === null) return false;
  const text = value as Record<string, unknown>;
  const { fields } = text;
  return typeof text["key"] === "string" &&
    typeof text["variant"] === "string" &&
    (text["languageVariant"] === null ||
      typeof text["languageVariant"] === "string") &&
    ["status", "responseWallMs", "initialAgeMs", "lifetimeMs", "bodyBytes"]
      .every((name) => Number.isFinite(text[name])) &&
    Array.isArray(fields) &&
    fields.every((line) =>
      Array.isArray(line) && line.length === 2 &&
      line.every((part) => typeof part === "string")
    );
}
