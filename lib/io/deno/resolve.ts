import { familyOf, formatHostPort, isLoopback } from "../../core/address.ts";
import { messageOf, RunError } from "../../core/errors.ts";
import type { Address, ConnectOptions } from "../net.ts";
import { within } from "../within.ts";
import { denoClock } from "./clock.ts";

/** See `Net.resolve`. */
export async function resolve(
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  if (isLiteral(name)) return [name];
  const found = name === "localhost"
    ? ["127.0.0.1", "::1"]
    : await lookUp(name, options);
  const own = Deno.networkInterfaces().map(({ address }) => address);
  return reachableFirst(found, own);
}

/**
 * The addresses that were found for `to`, if they are in time: the system's resolver may take half a minute to give up.
 *
 * @throws {RunError} `connect-failed` or `connect-timeout`; `signal`'s reason if it aborts.
 */
export async function hostsInTime(
  to: Address,
  found: Promise<readonly string[]>,
  { timeoutMs, signal }: ConnectOptions,
): Promise<readonly string[]> {
  const limit = { clock: denoClock, limitMs: timeoutMs };
  try {
    return await within(found, signal ? { ...limit, signal } : limit);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof RunError && cause.code === "timed-out") {
      throw new RunError(
        "connect-timeout",
        `Cannot connect to ${
          formatHostPort(to)
        }: its address was not found within ${timeoutMs} ms`,
        { cause },
      );
    }
    throw new RunError("connect-failed", messageOf(cause), { cause });
  }
}

/** Whether it is an address and no name: only those have colons. */
export function isLiteral(name: string): boolean {
  return /^[\d.]+$|:/.test(name);
}

/**
 * Puts addresses of a family that this machine has before those that it cannot reach; otherwise the order stays. Where
 * nothing but IPv6 is, the system's resolver may still name the IPv4 address first.
 *
 * @param own The addresses of this machine's interfaces.
 */
export function reachableFirst(
  addresses: readonly string[],
  own: readonly string[],
): string[] {
  const canReach = (address: string) =>
    own.some((one) =>
      familyOf(one) === familyOf(address) &&
      (isLoopback(address) || !isLoopback(one) && !/^fe[89ab]/i.test(one))
    );
  return [
    ...addresses.filter(canReach),
    ...addresses.filter((address) => !canReach(address)),
  ];
}

async function lookUp(
  name: string,
  { signal }: { readonly signal?: AbortSignal },
): Promise<string[]> {
  // Deno 2.4 would warn on stderr of a module that node:dns uses.
  Object.assign((await import("node:process")).default, {
    noDeprecation: true,
  });
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(name, { all: true });
    signal?.throwIfAborted();
    return found.map(({ address }) => address);
  } catch (error) {
    signal?.throwIfAborted();
    throw new RunError(
      "name-not-found",
      `Cannot find the address of "${name}": the system's resolver does not know it`,
      { cause: error },
    );
  }
}
