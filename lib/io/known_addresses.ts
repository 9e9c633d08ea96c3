import { parseAddress, unmapAddress } from "../core/address.ts";

/** Addresses that are remembered. */
const MAX_KNOWN = 1024;

/** The bytes of addresses that Deno tells as text. Most of what a server gets comes from few clients: each is read once. */
export class KnownAddresses {
  readonly #known = new Map<string, Uint8Array>();

  /**
   * Returns the bytes of `host`, 4 for IPv4 and 16 for IPv6, in the one form every address has, so that one client is one
   * client however it came. What follows % names an interface of this machine, which means nothing elsewhere.
   *
   * @throws {SyntaxError} If `host` is no address.
   */
  bytesOf(host: string): Uint8Array {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    const percent = host.indexOf("%");
    const bytes = unmapAddress(
      parseAddress(percent < 0 ? host : host.slice(0, percent)),
    );
    if (this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(host, bytes);
    return bytes;
  }
}
