import { runTool } from "./program.ts";

/** A host of its own inside this machine: a network namespace on a bridge. */
export interface Host {
  /** The namespace's name. */
  readonly name: string;
  /** Its address in 198.18.0.0/16, the range set aside for tests of networks (RFC 2544). */
  readonly address: string;
  /** The command that runs another command inside. */
  readonly inside: readonly string[];
}

/**
 * Makes `count` hosts (1 to 200) joined by one bridge, addresses `198.18.NET.1` and up. Needs root.
 *
 * Disposing of the result removes all of it. `id` keeps the names of tests that run at once apart: two letters or digits.
 */
export async function makeHosts(
  count: number,
  options: { readonly id: string; readonly net: number },
): Promise<AsyncDisposable & { readonly hosts: readonly Host[] }> {
  const { id, net } = options;
  const bridge = `rc-${id}-br`;
  const hosts = Array.from({ length: count }, (_, at): Host => {
    const name = `rc-${id}-${at + 1}`;
    return {
      name,
      address: `198.18.${net}.${at + 1}`,
      inside: ["ip", "netns", "exec", name],
    };
  });
  const remove = async () => {
    for (const { name } of hosts) {
      await ip(["netns", "delete", name], { mayFail: true });
    }
    // A namespace goes when its last process has ended; the bridge's end of each wire goes by hand.
    for (const { name } of hosts) {
      await ip(["link", "delete", `${name}w`], { mayFail: true });
    }
    await ip(["link", "delete", bridge], { mayFail: true });
  };
  await remove(); // What an earlier run that was killed left behind.
  try {
    await ip(["link", "add", bridge, "type", "bridge"]);
    await ip(["link", "set", bridge, "up"]);
    for (const { name, address } of hosts) {
      await ip(["netns", "add", name]);
      await ip([
        ...["link", "add", `${name}w`, "type", "veth"],
        ...["peer", "name", "eth0", "netns", name],
      ]);
      await ip(["link", "set", `${name}w`, "master", bridge, "up"]);
      await ip(["-n", name, "addr", "add", `${address}/24`, "dev", "eth0"]);
      await ip(["-n", name, "link", "set", "eth0", "up"]);
      await ip(["-n", name, "link", "set", "lo", "up"]);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { hosts, [Symbol.asyncDispose]: remove };
}

async function ip(
  args: readonly string[],
  options: { readonly mayFail: boolean } = { mayFail: false },
): Promise<void> {
  const { code, stderr } = await runTool("ip", args);
  if (code !== 0 && !options.mayFail) {
    throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  }
}
