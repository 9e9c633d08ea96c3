import { InputError } from "../../../lib/core/errors.ts";
import { displayName, equalNames } from "../../../lib/dns/name.ts";
import { EdgeBook } from "../../../lib/dns/select/edge.ts";
import type { ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import { filesOf, loadZones, type ZoneFlagValues } from "./zone_flags.ts";

/** How often the zone files are looked at for changes. */
const LOOK_MS = 500;

/**
 * The zones that are served: read at the start, and again after SIGHUP or when a file of `--zone` has changed.
 *
 * All zones change together, between two answers. Files that cannot be used change nothing. A file that is still being
 * written is left alone until it has stayed the same from one look to the next.
 */
export class ZoneKeeper {
  /** What is known of the edges; it outlives the zones. */
  readonly book: EdgeBook;
  #zones: ZoneTable;
  /** Files that those of `--zone` include, or included when they could be read last. */
  #included: ReadonlySet<string>;
  readonly #flags: ZoneFlagValues;
  readonly #ctx: RoleContext;
  readonly #listeners: ((zones: ZoneTable) => void)[] = [];
  /** Size and time of the versions that were read last. */
  #read: string;
  /** The same, as of the last look. */
  #seen: string;
  /** SIGHUP came, and the files were not read since. */
  #isAsked = false;
  #wake = () => {};
  #listening: Disposable | undefined;

  private constructor(
    table: ZoneTable,
    version: string,
    about: {
      readonly included: ReadonlySet<string>;
      readonly flags: ZoneFlagValues;
      readonly ctx: RoleContext;
      readonly book: EdgeBook;
    },
  ) {
    this.#zones = table;
    this.#included = about.included;
    this.book = about.book;
    this.#flags = about.flags;
    this.#ctx = about.ctx;
    this.#read = version;
    this.#seen = version;
  }

  /** Reads the zones. @throws {InputError} That says what is wrong with them. */
  static async open(
    flags: ZoneFlagValues,
    ctx: RoleContext,
  ): Promise<ZoneKeeper> {
    let keeper: ZoneKeeper | undefined;
    // SIGHUP ends who does not listen for it, and large zones take their time
    const listening = ctx.processes.onHangUp(() => {
      if (keeper !== undefined) keeper.#readAgain();
    });
    try {
      return keeper = await ZoneKeeper.#open(flags, ctx);
    } finally {
      if (keeper === undefined) listening[Symbol.dispose]();
      else keeper.#listening = listening;
    }
  }

  static async #open(
    flags: ZoneFlagValues,
    ctx: RoleContext,
  ): Promise<ZoneKeeper> {
    const version = await versionOf(filesOf(flags), ctx);
    const book = new EdgeBook();
    const included = new Set<string>();
    const table = await loadZones(flags, ctx, { book, included });
    const others = await versionOf([...included], ctx);
    return new ZoneKeeper(table, joined(version, others), {
      ...{ flags, ctx, book, included },
    });
  }

  /** The zones as of now. */
  get zones(): ZoneTable {
    return this.#zones;
  }

  /** Calls `use` with the zones now, and with the new ones whenever they change. */
  follow(use: (zones: ZoneTable) => void): void {
    this.#listeners.push(use);
    use(this.#zones);
  }

  /** Says which zones are served. */
  tell(): void {
    const redirects = this.#zones.redirects();
    for (const { origin, serial } of this.#zones.zones) {
      this.#ctx.emit({
        type: "zone.loaded",
        zone: displayName(origin),
        serial,
        redirects: redirects.filter(({ zone }) =>
          equalNames(zone.origin, origin)
        ).length,
      });
    }
  }

  /** Reads the files again after SIGHUP, and after each change, until the role ends. */
  async watch(): Promise<void> {
    const { clock, signal } = this.#ctx;
    using _listening = this.#listening;
    while (!signal.aborted) {
      using nap = new LinkedAbort(signal);
      this.#wake = () => nap.abort();
      const isIdle = filesOf(this.#flags).length === 0;
      const looksAtMs = isIdle ? Infinity : clock.nowMs() + LOOK_MS;
      if (!this.#isAsked) {
        await pauseUntil(looksAtMs, { clock, signal: nap.signal });
      }
      if (signal.aborted) break;
      if (!(await this.#hasChanged() || this.#isAsked)) continue;
      this.#isAsked = false;
      await this.#reload();
    }
  }

  #readAgain(): void {
    this.#isAsked = true;
    this.#wake();
  }

  /** Whether the files are others than those that were read, and nobody is writing them just now. */
  async #hasChanged(): Promise<boolean> {
    const version = await this.#version();
    const rests = version === this.#seen;
    this.#seen = version;
    return rests && version !== this.#read;
  }

  #version(): Promise<string> {
    const files = [...filesOf(this.#flags), ...this.#included];
    return versionOf(files, this.#ctx);
  }

  async #reload(): Promise<void> {
    this.#read = await this.#version();
    const included = new Set<string>();
    try {
      this.#zones = await loadZones(this.#flags, this.#ctx, {
        ...{ book: this.book, included },
      });
      await this.#look(included);
    } catch (error) {
      if (this.#ctx.signal.aborted) return;
      if (!(error instanceof InputError)) throw error;
      // What is wrong may be in one of those, and that one be mended
      await this.#look(new Set([...this.#included, ...included]));
      this.#ctx.emit({ type: "zones.rejected", reason: error.message });
      return;
    }
    for (const use of this.#listeners) use(this.#zones);
    this.tell();
  }

  /** Looks at these files from now on, beside those of the flags. */
  async #look(included: ReadonlySet<string>): Promise<void> {
    const others = [...included].join() !== [...this.#included].join();
    this.#included = included;
    // What was not known before was not looked at before.
    if (others) this.#read = this.#seen = await this.#version();
  }
}

async function versionOf(
  paths: readonly string[],
  { files }: RoleContext,
): Promise<string> {
  const versions = paths.map(async (path) => {
    // A file that cannot be looked at is told of when it is read
    const stat = await files.stat(path).catch(() => null);
    return stat === null ? "" : `${stat.sizeBytes} ${stat.modifiedAtWallMs}`;
  });
  return joined(...await Promise.all(versions));
}

function joined(...versions: readonly string[]): string {
  return versions.filter((version) => version !== "").join(", ");
}
