import { fromUtf8 } from "../../core/bytes.ts";
import {
  type BencodeDictionary,
  type BencodeValue,
  isBytes,
  isList,
} from "../bencode.ts";

/** Reads text that must be there. @throws {SyntaxError} */
export function requireText(
  dictionary: BencodeDictionary,
  key: string,
): string {
  return textOf(dictionary.get(key), key);
}

/** Reads text that may be missing. @throws {SyntaxError} If it is there and is no text. */
export function optionalText(
  dictionary: BencodeDictionary,
  key: string,
): string | null {
  return dictionary.has(key) ? requireText(dictionary, key) : null;
}

/** Reads text that is only shown: old torrents have it in other encodings, which is no reason to refuse them. */
export function remark(
  dictionary: BencodeDictionary,
  key: string,
): string | null {
  const value = dictionary.get(key);
  return isBytes(value) ? fromUtf8(value) : null;
}

/** Returns a byte string's text. @throws {SyntaxError} If it is not UTF-8. */
export function textOf(value: BencodeValue | undefined, where: string): string {
  if (!isBytes(value)) throw wrong(where, "must be text", value);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(value);
  } catch {
    throw wrong(where, "must be UTF-8 text", value);
  }
}

/** Reads an integer that must be there, from `min` to `max`. @throws {SyntaxError} */
export function requireInteger(
  dictionary: BencodeDictionary,
  key: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = dictionary.get(key);
  if (typeof value !== "number" || value < min || value > max) {
    throw wrong(key, `must be an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** Reads the parts of a path. @throws {SyntaxError} If it is no list of texts. */
export function pathOf(
  value: BencodeValue | undefined,
  where: string,
): string[] {
  if (!isList(value)) throw wrong(where, "must be a list", value);
  return value.map((part) => textOf(part, where));
}

/** Returns the error that says what an entry would have to be, and what it is. */
export function wrong(
  where: string,
  rule: string,
  value: BencodeValue | undefined,
): SyntaxError {
  const got = value === undefined
    ? "nothing"
    : typeof value === "number"
    ? String(value)
    : isBytes(value)
    ? `a string of ${value.length} bytes`
    : isList(value)
    ? `a list of ${value.length}`
    : "a dictionary";
  return new SyntaxError(
    `Cannot read torrent: "${where}" ${rule}, got ${got}`,
  );
}
