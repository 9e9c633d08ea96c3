import { formatHostPort } from "../core/address.ts";
import { concat, utf8 } from "../core/bytes.ts";
import { sha1 } from "../io/hash.ts";
import type { Address } from "../io/net.ts";
import type { RoleContext } from "../role.ts";

/** rolecall 0.1 in the style of BEP 20. */
const CLIENT = "-RC0100-";

/** Makes a peer id. Where we listen goes into it: two peers that are given the same `--seed` must not be taken for one. */
export function newPeerId(
  listener: Address,
  ctx: RoleContext,
): Uint8Array<ArrayBuffer> {
  const drawn = Uint8Array.from({ length: 12 }, () => ctx.rng() * 256);
  const place = utf8(`${formatHostPort(listener)} ${ctx.name}`);
  return concat(utf8(CLIENT), sha1(concat(drawn, place)).subarray(0, 12));
}
