/** The path of a request, decoded once and safe to use below a folder. */
export interface RequestPath {
  /** Names from the top; none is empty, `.` or `..`, and none holds a slash, a backslash or a NUL. */
  readonly names: readonly string[];
  /** Whether the path ends with a slash: it means a folder. */
  readonly folder: boolean;
}

/**
 * Reads the path of a request target such as `/films/a%20b.mpd?x=1`; null when it is malformed or tries to leave the
 * folder it is under.
 *
 * The target is split at slashes before it is decoded, once, so `%2e%2e`, `%2f` and `%5c` are caught as what they
 * decode to and `%252e` stays a name with a percent sign.
 */
export function parseRequestPath(target: string): RequestPath | null {
  const path = target.split(/[?#]/, 1)[0]!;
  if (!path.startsWith("/")) return null;
  const names: string[] = [];
  const parts = path.slice(1).split("/");
  const folder = parts.at(-1) === "";
  if (folder) parts.pop();
  for (const part of parts) {
    const name = decoded(part);
    if (
      name === null || name === "" || name === "." || name === ".." ||
      /[/\\\0]/.test(name)
    ) return null;
    names.push(name);
  }
  return { names, folder };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Writes names as a path for a link: `/films/a%20b.mpd`. */
export function formatRequestPath(path: RequestPath): string {
  return "/" + path.names.map(encodeURIComponent).join("/") +
    (path.folder && path.names.length > 0 ? "/" : "");
}
