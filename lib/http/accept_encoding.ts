/**
 * Whether a client takes a content coding (RFC 9110 §12.5.3): named with a weight above 0, or by `*` when it is not
 * named. Without the field it is false, though the RFC would allow any coding: whoever does not ask may not expect it.
 *
 * @param value The value of Accept-Encoding; null without the field.
 * @param coding In lower case, such as `gzip`.
 */
export function acceptsEncoding(value: string | null, coding: string): boolean {
  let any = false;
  for (const element of (value ?? "").split(",")) {
    const [name = "", ...parameters] = element.split(";")
      .map((part) => part.trim().toLowerCase());
    const refused = parameters.some((text) => /^q=0(\.0{0,3})?$/.test(text));
    if (name === coding || name === `x-${coding}`) return !refused;
    if (name === "*") any = !refused;
  }
  return any;
}
