/** Attributes by name; undefined ones are left out. */
export type Attributes = Readonly<
  Record<string, string | number | undefined>
>;

/** Escapes text for XML and HTML, in content and in quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
    // deno-lint-ignore no-control-regex -- XML 1.0 has no way to write these
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd");
}

/** Writes an element. `children` are markup already; pass text through {@linkcode escaped}. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly string[]
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(short(value!))}"`)
    .join("");
  const content = children.join("");
  return content === ""
    ? `<${name}${written}/>`
    : `<${name}${written}>${content}</${name}>`;
}

/** Coordinates with a tenth of a pixel are fine enough, and keep files small. */
function short(value: string | number): string {
  return typeof value === "string"
    ? value
    : String(Math.round(value * 10) / 10);
}
