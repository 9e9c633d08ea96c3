import { dirname, isAbsolute, join } from "@std/path";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import {
  includesIn,
  masterFileSteps,
} from "../../../lib/dns/authority/master_file.ts";
import type { ZoneData } from "../../../lib/dns/authority/zone.ts";
import { parseZoneJson } from "../../../lib/dns/authority/zone_json.ts";
import { inSlices } from "../../../lib/io/in_slices.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** A zone file is text that a person wrote; a larger one is a mistake. */
const MAX_ZONE_BYTES = 16 * 2 ** 20;
/** Files that one may include, directly and indirectly. */
const MAX_INCLUDED = 64;

/**
 * Reads a file of `--zone`, a master file with all that it includes, or JSON.
 *
 * @param included Takes the files it includes, also those that are not there: they are looked at for changes, as it is.
 * @throws {InputError} With file and line.
 */
export async function readZoneFile(
  path: string,
  ctx: RoleContext,
  included: Set<string> = new Set(),
): Promise<ZoneData[]> {
  const source = `--zone ${path}`;
  try {
    const text = await readText(path, ctx);
    if (/^\s*[{[]/.test(text)) {
      return named(parseZoneJson(text), source);
    }
    const texts = await readIncluded({ path, text }, { ctx, included });
    const steps = masterFileSteps(text, {
      path,
      included: (name, by) => texts.get(placeOf(name, by)),
    });
    const zones = await inSlices(steps, ctx);
    return named(zones, source);
  } catch (error) {
    if (
      !(error instanceof SyntaxError || error instanceof RangeError ||
        error instanceof RunError)
    ) throw error;
    throw new InputError(`${source}: ${error.message}`, { cause: error });
  }
}

function named(zones: readonly ZoneData[], source: string): ZoneData[] {
  return zones.map((zone) => ({ ...zone, source }));
}

/** Reads what a master file includes, and what that includes. What cannot be read is missing: the line that names it says so. */
async function readIncluded(
  file: { readonly path: string; readonly text: string },
  { ctx, included }: {
    readonly ctx: RoleContext;
    readonly included: Set<string>;
  },
): Promise<ReadonlyMap<string, { path: string; text: string }>> {
  const texts = new Map<string, { path: string; text: string }>();
  const unread = [file];
  for (let next = unread.pop(); next !== undefined; next = unread.pop()) {
    for (const name of includesIn(next.text)) {
      const path = placeOf(name, next.path);
      if (texts.has(path)) continue;
      if (texts.size >= MAX_INCLUDED) {
        throw new RangeError(
          `it may include at most ${MAX_INCLUDED} files, got ${name} as well`,
        );
      }
      included.add(path);
      const text = await readText(path, ctx).catch((error) => {
        if (!(error instanceof RunError)) throw error;
        return undefined;
      });
      if (text === undefined) continue;
      texts.set(path, { path, text });
      unread.push({ path, text });
    }
  }
  return texts;
}

/** Where a file is that another one includes: relative to that one's folder. */
function placeOf(name: string, by: string): string {
  return isAbsolute(name) ? name : join(dirname(by), name);
}

async function readText(path: string, { files }: RoleContext): Promise<string> {
  return textOf(await files.read(path, { maxBytes: MAX_ZONE_BYTES }));
}

/** Master files are bytes (RFC 1035 §5.1): where they are not UTF-8 (Latin-1, say), those beyond ASCII become `\DDD`. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const latin1 = Array.from(bytes, (byte) => String.fromCharCode(byte));
    return latin1.join("").replace(
      /[^\0-\x7f]/g,
      (char) => `\\${char.charCodeAt(0)}`,
    );
  }
}
