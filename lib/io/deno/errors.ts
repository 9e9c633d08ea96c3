import { formatHostPort } from "../../core/address.ts";
import { RunError } from "../../core/errors.ts";
import type { ListenAddress } from "../net.ts";

const PORT_IN_USE =
  "the port is in use by another program (`ss -lntup` or `netstat -ano` names it)";

/** Codes of the system's errors that a person can do something about; the rest is `io-failed`. */
const CODES: readonly [
  errorClass: abstract new (...args: never[]) => Error,
  code: string,
  advice: string,
][] = [
  [Deno.errors.AddrInUse, "address-in-use", PORT_IN_USE],
  [
    Deno.errors.AddrNotAvailable,
    "address-not-available",
    "this machine has no such address",
  ],
  [
    Deno.errors.PermissionDenied,
    "permission-denied",
    "the system does not allow it (ports below 1024 and other users' files need more rights)",
  ],
  [Deno.errors.NotFound, "not-found", "there is no such file"],
  [Deno.errors.NotADirectory, "not-found", "a part of the path is no folder"],
  [Deno.errors.IsADirectory, "io-failed", "it is a folder"],
  [
    Deno.errors.AlreadyExists,
    "already-exists",
    "a file of that name is in the way",
  ],
  [Deno.errors.ConnectionRefused, "connect-failed", "nobody listens there"],
  [Deno.errors.ConnectionReset, "connection-lost", "the other side reset it"],
  [Deno.errors.BrokenPipe, "connection-lost", "the other side closed it"],
  [
    Deno.errors.UnexpectedEof,
    "connection-lost",
    "it ended in the middle of something",
  ],
  [
    Deno.errors.NotCapable,
    "permission-denied",
    "rolecall was built or started without that Deno permission",
  ],
];

/** Wraps what the system threw, once, with what was attempted: "Cannot listen on tcp 127.0.0.1:80: …". Errors of ours pass through. */
export function systemError(attempted: string, error: unknown): Error {
  if (error instanceof RunError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const known = CODES.find(([errorClass]) => error instanceof errorClass);
  if (known !== undefined) {
    return new RunError(known[1], `Cannot ${attempted}: ${known[2]}`, {
      cause: error,
    });
  }
  if (/ENOSPC|No space left|os error 28/.test(message)) {
    return new RunError(
      "disk-full",
      `Cannot ${attempted}: the disk is full`,
      { cause: error },
    );
  }
  if (/failed to lookup address/.test(message)) {
    return new RunError(
      "address-not-available",
      `Cannot ${attempted}: there is no such address or host`,
      { cause: error },
    );
  }
  const way = noWay(message);
  if (way !== undefined) {
    return new RunError("network-unreachable", `Cannot ${attempted}: ${way}`, {
      cause: error,
    });
  }
  const said = distrust(message) ?? plain(message);
  return new RunError("io-failed", `Cannot ${attempted}: ${said}`, {
    cause: error,
  });
}

/** What is told of a machine to which no packet gets; undefined if that is not what `message` is about. */
export function noWay(message: string): string | undefined {
  if (/network is unreachable/i.test(message)) {
    return "the network is unreachable";
  }
  if (/no route to host|host is unreachable/i.test(message)) {
    return "no machine answers at that address";
  }
  return undefined;
}

/** Why the other side is not believed to be who it should be, in words; undefined if that is not what `message` is about. */
export function distrust(message: string): string | undefined {
  const [, flaw] = /invalid peer certificate: ([^\n]*)/.exec(message) ?? [];
  return flaw && `its certificate is not trusted (${flaw})`;
}

/** Wraps what the system threw where a socket was to listen; a port in use is told with the flag that chooses another. */
export function listenError(
  transport: "udp" | "tcp",
  { portFlag = "--port", ...at }: ListenAddress,
  error: unknown,
): Error {
  const attempted = `listen on ${transport} ${formatHostPort(at)}`;
  if (!(error instanceof Deno.errors.AddrInUse)) {
    return systemError(attempted, error);
  }
  return new RunError(
    "address-in-use",
    `Cannot ${attempted}: ${PORT_IN_USE}; choose another with ${portFlag}, or 0 for a free one`,
    { cause: error },
  );
}

/** The system's own words without what only a programmer reads. */
function plain(message: string): string {
  return message.split("\n")[0]!.replace(/\s*\(os error \d+\)/g, "")
    .replace(
      /, (open|stat|lstat|readdir|mkdir|rename|remove|realpath) '.*$/,
      "",
    );
}
