/**
 * Reads a list of torrents: one info-hash a line as 40 hexadecimal digits, then, if wanted, a name for people. Empty
 * lines and what follows `#` at the start of a line do not count.
 *
 * @returns Names by info-hash in lower case; "" where there is none.
 * @throws {SyntaxError} That says which line is wrong.
 */
export function parseAllowList(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [index, line] of text.split(/\r\n|[\r\n]/).entries()) {
    const entry = line.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const match = /^([0-9a-fA-F]{40})(?:\s+(.*))?$/.exec(entry);
    if (match?.[1] === undefined) {
      throw new SyntaxError(
        `line ${
          index + 1
        } must start with an info-hash of 40 hexadecimal digits, got ${
          JSON.stringify(entry.slice(0, 50))
        }`,
      );
    }
    names.set(match[1].toLowerCase(), match[2] ?? "");
  }
  return names;
}
