import { fromUtf8 } from "../../lib/core/bytes.ts";
import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";

/** Largest list: a million torrents. */
const MAX_LIST_BYTES = 64 * 2 ** 20;
/** How often the file is looked at for changes. */
const LOOK_MS = 2000;

/**
 * Reads a list of torrents: one info-hash a line as 40 hexadecimal digits, then, if wanted, a name for people. Empty
 * lines and what follows `#` at the start of a line do not count.
 *
 * @returns Names by info-hash in lower case; "" where there is none.
 * @throws {SyntaxError} That says which line is wrong.
 */
export function parseAllowList(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [index, line] of text.split(/\r\n|[\r\n]/).entries()) {
    const entry = line.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const match = /^([0-9a-fA-F]{40})(?:\s+(.*))?$/.exec(entry);
    if (match?.[1] === undefined) {
      throw new SyntaxError(
        `line ${
          index + 1
        } must start with an info-hash of 40 hexadecimal digits, got ${
          JSON.stringify(entry.slice(0, 50))
        }`,
      );
    }
    names.set(match[1].toLowerCase(), match[2] ?? "");
  }
  return names;
}

/** The file with the torrents that are served (`--allow`), read again whenever it changes. */
export class AllowList {
  /** Names by info-hash, as of the last good reading. */
  names: ReadonlyMap<string, string> = new Map();
  readonly #path: string;
  readonly #ctx: RoleContext;
  /** Size and time of the version that was read last. */
  #version = "";

  /** @param ctx Its files, clock and events are used. */
  constructor(path: string, ctx: RoleContext) {
    this.#path = path;
    this.#ctx = ctx;
  }

  /** Reads the file. @throws {InputError} That says what is wrong with it. */
  async read(): Promise<void> {
    try {
      this.#version = await this.#look();
      const bytes = await this.#ctx.files.read(this.#path, {
        maxBytes: MAX_LIST_BYTES,
      });
      this.names = parseAllowList(fromUtf8(bytes));
    } catch (cause) {
      if (!(cause instanceof SyntaxError) && !(cause instanceof RunError)) {
        throw cause;
      }
      throw new InputError(
        `Cannot use --allow ${this.#path}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** Reads it again after each change until the role ends, and hands it to `use`. What cannot be read changes nothing. */
  async watch(use: (infoHashes: Iterable<string>) => void): Promise<void> {
    const { clock, signal } = this.#ctx;
    while (!signal.aborted) {
      await pauseUntil(clock.nowMs() + LOOK_MS, { clock, signal });
      if (signal.aborted || await this.#isUnchanged()) continue;
      try {
        await this.read();
        use(this.names.keys());
        this.#ctx.emit({
          type: "allowlist.reloaded",
          path: this.#path,
          torrents: this.names.size,
        });
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        this.#ctx.emit({ type: "allowlist.rejected", reason: error.message });
      }
    }
  }

  async #isUnchanged(): Promise<boolean> {
    try {
      return await this.#look() === this.#version;
    } catch (error) {
      if (error instanceof RunError) return true;
      throw error;
    }
  }

  async #look(): Promise<string> {
    const stat = await this.#ctx.files.stat(this.#path);
    return stat === null ? "" : `${stat.sizeBytes} ${stat.modifiedAtWallMs}`;
  }
}
