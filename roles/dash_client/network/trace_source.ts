import { flag, type FlagValues } from "../../../lib/cli/flags.ts";
import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { readInput } from "../../../lib/io/read_input.ts";
import { namedTrace, TRACE_NAMES } from "../../../lib/model/trace_catalog.ts";
import { parseTrace } from "../../../lib/model/trace_formats.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** Which network to have. */
export const TRACE_FLAGS = {
  trace: flag.text({
    choices: TRACE_NAMES,
    placeholder: `${TRACE_NAMES.join("|")}|FILE`,
    help:
      "The network, as slow as a trace that ships with the program or a file (Sabre JSON, mahimahi, Pensieve, Ghent, Norway, CSV)",
  }),
  latency: flag.duration({
    help: "Latency of each request, instead of that in --trace",
  }),
};

/** See {@linkcode TRACE_FLAGS}. */
export type TraceFlags = FlagValues<typeof TRACE_FLAGS>;

/** A trace file may be as large as this. */
const MAX_TRACE_BYTES = 64 * 2 ** 20;

/**
 * Returns the network that `--trace` names.
 *
 * @param text A name of the catalog, or a file.
 * @throws {InputError} If it cannot be read, or is in no known format, with its line.
 */
export async function openTrace(
  text: string,
  { latency, ctx }: {
    readonly latency: number | undefined;
    readonly ctx: RoleContext;
  },
): Promise<NetworkTrace> {
  const named = namedTrace(text);
  if (named !== null) return withLatency(named, latency);
  if (!/[/\\.]/.test(text) && await ctx.files.stat(text) === null) {
    throw new InputError(
      `--trace must be ${TRACE_NAMES.join(", ")} or a file, got "${text}"`,
    );
  }
  const options = { maxBytes: MAX_TRACE_BYTES };
  const bytes = await readInput(text, ctx.files, options);
  const name = text.split(/[/\\]/).at(-1) ?? text;
  try {
    return parseTrace(fromUtf8(bytes), { name, latencyMs: latency });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read trace ${text}: ${error.message}`, {
      cause: error,
    });
  }
}

function withLatency(
  trace: NetworkTrace,
  latencyMs: number | undefined,
): NetworkTrace {
  if (latencyMs === undefined) return trace;
  const { name, periods } = trace;
  return { name, periods: periods.map((each) => ({ ...each, latencyMs })) };
}
