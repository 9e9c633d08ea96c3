import { formatHostPort, isAddress } from "../../../lib/core/address.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import type { Address } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { lookUp, type ResolverOptions } from "./lookup.ts";

interface Known {
  readonly addresses: readonly string[];
  readonly expiresAtMs: number;
}

/** How long an expired address is used before a resolver that failed is asked again (RFC 8767 §5). */
const STALE_MS = 30_000;

/**
 * Where hosts are, as the resolver of `--resolver` says: asked again when the TTL is over, so that a redirector can
 * move a client in mid-title. Without a resolver the system's is used, and asked by the HTTP client.
 */
export class Names {
  readonly #options: ResolverOptions | undefined;
  readonly #ctx: RoleContext;
  readonly #known = new Map<string, Known>();
  /** Questions under way: requests for the same host wait for one answer. */
  readonly #asking = new Map<string, Promise<Known>>();

  /** Creates an empty cache; `options` undefined leaves names to the system. */
  constructor(options: ResolverOptions | undefined, ctx: RoleContext) {
    this.#options = options;
    this.#ctx = ctx;
  }

  /**
   * Returns where to connect for `url`; undefined leaves it to the HTTP client.
   *
   * @throws {RunError} `name-not-found` or `resolver-no-answer` if it was never known.
   */
  async locate(url: URL): Promise<Address | undefined> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (this.#options === undefined || isAddress(host)) return undefined;
    if (url.protocol !== "http:") {
      throw new RunError(
        "resolver-unusable",
        `Cannot use --resolver for ${url.origin}: only http: URLs can be sent elsewhere`,
      );
    }
    const known = this.#known.get(host);
    const fresh = known !== undefined &&
        this.#ctx.clock.nowMs() < known.expiresAtMs
      ? known
      : await this.#askOnce(host, known, this.#options);
    const address = fresh.addresses[0]!;
    return { host: address, port: Number(url.port === "" ? 80 : url.port) };
  }

  /** Says that the first address of the URL's host did not answer: it goes to the end, and the resolver is asked again. */
  distrust(url: URL): void {
    const known = this.#known.get(url.hostname);
    if (known === undefined) return;
    const [first, ...others] = known.addresses;
    this.#known.set(url.hostname, {
      addresses: [...others, first!],
      expiresAtMs: others.length > 0 ? known.expiresAtMs : 0,
    });
  }

  #askOnce(
    host: string,
    before: Known | undefined,
    options: ResolverOptions,
  ): Promise<Known> {
    const asking = this.#asking.get(host) ??
      this.#ask(host, before, options)
        .finally(() => this.#asking.delete(host));
    this.#asking.set(host, asking);
    return asking;
  }

  async #ask(
    host: string,
    before: Known | undefined,
    options: ResolverOptions,
  ): Promise<Known> {
    const { clock } = this.#ctx;
    const askedAtMs = clock.nowMs();
    const resolver = formatHostPort(options.resolver);
    try {
      const { addresses, ttlSeconds } = await lookUp(host, options, this.#ctx);
      const now = clock.nowMs();
      const known = { addresses, expiresAtMs: now + ttlSeconds * 1000 };
      this.#known.set(host, known);
      this.#ctx.emit({
        type: "name.resolved",
        host,
        addresses,
        ttlSeconds,
        resolver,
        elapsedMs: now - askedAtMs,
        moved: before !== undefined && before.addresses[0] !== addresses[0],
      });
      return known;
    } catch (error) {
      if (!(error instanceof RunError) || before === undefined) throw error;
      this.#ctx.emit({
        type: "name.missed",
        host,
        resolver,
        problem: messageOf(error),
        staleAddress: before.addresses[0]!,
      });
      const staleUntilMs = clock.nowMs() + STALE_MS;
      const kept = { ...before, expiresAtMs: staleUntilMs };
      this.#known.set(host, kept);
      return kept;
    }
  }
}
