import { flag, flagKind, type FlagValues } from "../../../lib/cli/flags.ts";
import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { InputError } from "../../../lib/core/errors.ts";
import {
  parseRootHint,
  parseRootHints,
  rootOf,
} from "../../../lib/dns/resolver/hints.ts";
import type { ResolverOptions } from "../../../lib/dns/resolver/in_out.ts";
import type { NameServer } from "../../../lib/dns/resolver/reply.ts";
import type { RoleContext } from "../../../lib/role.ts";

const MAX_HINTS_BYTES = 2 ** 20;
/** Where name servers listen in the world. */
const DNS_PORT = 53;

/** The flags that say where a resolver starts and how it asks. */
export const ROOT_FLAGS = {
  rootHint: flag.list(
    flagKind("NAME=ADDR[:PORT]", parseRootHint)({
      help: "A server of the root",
    }),
  ),
  rootHints: flag.path({
    placeholder: "FILE",
    help: "Servers of the root, as IANA publishes them (named.root)",
  }),
  authorityPort: flag.port({
    help:
      "Port all other authorities listen on; that of the first root hint unless given, 53 if that has none",
  }),
  plainCase: flag.toggle({
    help:
      "Asks in lower case; without it capitals are mixed in at random (0x20), which a forger has to guess",
  }),
};

/** The values of {@linkcode ROOT_FLAGS}. */
export type RootFlagValues = FlagValues<typeof ROOT_FLAGS>;

async function hintsOf(
  flags: RootFlagValues,
  ctx: RoleContext,
): Promise<NameServer[]> {
  const path = flags.rootHints;
  if (path === undefined) return [...flags.rootHint];
  try {
    const bytes = await ctx.files.read(path, { maxBytes: MAX_HINTS_BYTES });
    return [...flags.rootHint, ...parseRootHints(fromUtf8(bytes))];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new InputError(`--root-hints ${path}: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * Returns what the flags say of the root and of asking.
 *
 * @param start Where to start when no root hint is given.
 * @throws {InputError} If nothing says where to start.
 */
export async function resolverOptions(
  flags: RootFlagValues,
  { ctx, start }: { readonly ctx: RoleContext; readonly start?: NameServer },
): Promise<ResolverOptions> {
  const given = await hintsOf(flags, ctx);
  const servers = given.length === 0 && start !== undefined ? [start] : given;
  const first = servers[0];
  if (first === undefined) {
    throw new InputError(
      "--recursive needs --root-hint NAME=ADDR or --root-hints FILE, to know where the root is",
    );
  }
  if (flags.authorityPort === 0) {
    throw new InputError("--authority-port must be from 1 to 65535, got 0");
  }
  return {
    root: rootOf(servers),
    port: flags.authorityPort ?? first.port ?? DNS_PORT,
    rng: ctx.rng,
    mixesCase: !flags.plainCase,
  };
}
