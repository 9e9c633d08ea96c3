/** The options that may follow a UDP announce (BEP 41): path and query of the tracker's URL, in parts of up to 255 bytes. */
import { concat, fromUtf8, utf8 } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_URL_DATA = 2;
const MAX_OPTION_BYTES = 255;
/** More would not fit a datagram beside the announce. */
const MAX_URL_DATA_BYTES = 1200;

/** Writes path and query as options; "" needs none. */
export function encodeUrlData(urlData: string): Uint8Array<ArrayBuffer> {
  const bytes = utf8(urlData).subarray(0, MAX_URL_DATA_BYTES);
  const options: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_OPTION_BYTES) {
    const part = bytes.subarray(at, at + MAX_OPTION_BYTES);
    options.push(Uint8Array.of(OPTION_URL_DATA, part.length), part);
  }
  return concat(...options);
}

/**
 * Reads the options of `datagram` from byte `at` on. Options of other kinds are passed over, as the BEP asks.
 *
 * @throws {ProtocolError} `datagram-malformed` if an option is cut off.
 */
export function decodeUrlData(
  datagram: Uint8Array,
  at: number,
): { readonly urlData?: string } {
  const parts: Uint8Array[] = [];
  while (at < datagram.length && datagram[at] !== OPTION_END) {
    if (datagram[at] === OPTION_NOP) {
      at += 1;
      continue;
    }
    const end = at + 2 + (datagram[at + 1] ?? MAX_OPTION_BYTES);
    if (end > datagram.length) {
      throw new ProtocolError(
        "datagram-malformed",
        `Cannot read tracker request: its options must be whole, got ${datagram.length} bytes`,
      );
    }
    if (datagram[at] === OPTION_URL_DATA) {
      parts.push(datagram.subarray(at + 2, end));
    }
    at = end;
  }
  return parts.length === 0 ? {} : { urlData: fromUtf8(concat(...parts)) };
}
