import { RunError } from "../../../lib/core/errors.ts";
import type { Address, TcpListener, UdpSocket } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** UDP and TCP must have the same port; a free one of the first may be taken in the second. */
const PORT_TRIES = 20;

/** Binds UDP and TCP to the same port; port 0 takes one that is free for both. @throws {RunError} As `Net.listenUdp`. */
export async function bindBoth(
  { host, port }: Address,
  ctx: RoleContext,
): Promise<{ readonly udp: UdpSocket; readonly tcp: TcpListener }> {
  for (let attempt = 1;; attempt++) {
    const udp = ctx.net.listenUdp({ host, port });
    try {
      return { udp, tcp: ctx.net.listenTcp({ host, port: udp.port }) };
    } catch (error) {
      await udp[Symbol.asyncDispose]();
      if (
        port !== 0 || attempt === PORT_TRIES ||
        !(error instanceof RunError && error.code === "address-in-use")
      ) throw error;
    }
  }
}
