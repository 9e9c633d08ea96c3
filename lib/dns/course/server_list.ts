import { formatAddress, parseAddress } from "../../core/address.ts";
import type { EdgeSpec } from "../authority/zone.ts";
import {
  type FileLine,
  FileLineError,
  inLine,
  readFileLines,
  takeSection,
} from "../file_lines.ts";

/**
 * Reads a list of content servers as course projects have it: an address a line, or `NUM_SERVERS: n` and then n lines of
 * an address and a port. The port is where its health is checked; DNS has no word for it.
 *
 * @throws {SyntaxError} That names the line.
 */
export function parseServerList(text: string): EdgeSpec[] {
  const lines = readFileLines(text);
  const isCounted = lines[0]?.words[0]?.startsWith("NUM_SERVERS") === true;
  const rows = isCounted ? takeSection(lines, "NUM_SERVERS") : lines.splice(0);
  const [extra] = lines;
  if (extra !== undefined) {
    throw new FileLineError(
      extra.number,
      `only ${rows.length} servers were announced`,
    );
  }
  if (rows.length === 0) throw new SyntaxError("there must be a server in it");
  const servers = new Map<string, EdgeSpec>();
  for (const row of rows) {
    const server = serverOf(row, isCounted);
    if (servers.has(server.name)) {
      throw new FileLineError(row.number, `${server.name} is given twice`);
    }
    servers.set(server.name, server);
  }
  return [...servers.values()];
}

function serverOf(row: FileLine, hasPort: boolean): EdgeSpec {
  const [host = "", port = "", ...more] = row.words;
  if (more.length > 0 || hasPort === (port === "")) {
    throw new FileLineError(
      row.number,
      `must be ${hasPort ? "an address and a port" : "an address"}, got "${
        row.words.join(" ")
      }"`,
    );
  }
  const address = inLine(row, () => parseAddress(host));
  if (hasPort && !(/^[0-9]{1,5}$/.test(port) && +port > 0 && +port < 65536)) {
    throw new FileLineError(
      row.number,
      `the port must be from 1 to 65535, got "${port}"`,
    );
  }
  return {
    name: formatAddress(address),
    addresses: [address],
    weight: 1,
    ...(hasPort ? { port: Number(port) } : {}),
  };
}
