import { fromUtf8 } from "../../lib/core/bytes.ts";
import { InputError } from "../../lib/core/errors.ts";
import { readInput } from "../../lib/io/read_input.ts";
import { selfSigned, type TlsIdentity } from "../../lib/io/self_signed.ts";
import type { EdgeFlags } from "./flags.ts";
import type { EdgeContext } from "./answer/parts.ts";

/** Largest file of a certificate chain or a key. */
const MAX_BYTES = 1 << 20;

/** Whether clients speak TLS with the edge. */
export function isTls({ tls, tlsCert }: EdgeFlags): boolean {
  return tls !== "off" || tlsCert !== undefined;
}

/**
 * What the edge shows clients; undefined without TLS.
 *
 * @throws {InputError} If a file cannot be read, or one of the two flags is missing.
 */
export async function tlsIdentity(
  { tls, tlsCert, tlsKey }: EdgeFlags,
  { clock, files, net }: EdgeContext,
): Promise<TlsIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) {
    return tls === "off"
      ? undefined
      : await selfSigned([net.hostname()], clock.wallMs());
  }
  if (tlsCert === undefined || tlsKey === undefined || tls !== "off") {
    throw new InputError(
      "HTTPS needs --tls-cert and --tls-key, or --tls self-signed alone",
    );
  }
  const read = async (path: string) =>
    fromUtf8(await readInput(path, files, { maxBytes: MAX_BYTES }));
  return { certificate: await read(tlsCert), key: await read(tlsKey) };
}
