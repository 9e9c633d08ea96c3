import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { formatHostPort } from "../../../lib/core/address.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import { readBody } from "../../../lib/io/read_body.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { WatchRules } from "./watch_flags.ts";

/** What is looked for in the body of a check's answer stands at its start; more of it is not read. */
const MAX_CHECK_BYTES = 64 * 2 ** 10;
/** A page of metrics is text for programs, but not without end. */
const MAX_METRICS_BYTES = 4 * 2 ** 20;

/** What came of a check. */
export type CheckOutcome =
  | { readonly kind: "passed"; readonly reason: string; roundTripMs: number }
  | { readonly kind: "missed"; readonly reason: string };

/** An edge that is checked: its address and port. */
export interface CheckedPlace {
  readonly host: string;
  readonly port: number;
}

/** What {@linkcode checkEdge} does, for the log. */
export function describeCheck(
  place: CheckedPlace,
  { check, host }: WatchRules,
): string {
  const at = formatHostPort(place);
  return check === undefined || check === "tcp"
    ? `tcp ${at}`
    : host === undefined
    ? `http://${at}${check}`
    : `http://${host}${check} at ${at}`;
}

/** Checks an edge once, for at most `rules.timeoutMs`. Rejects only with `signal`'s reason. */
export async function checkEdge(
  place: CheckedPlace,
  rules: WatchRules,
  { ctx, signal }: { readonly ctx: RoleContext; readonly signal: AbortSignal },
): Promise<CheckOutcome> {
  const startedAtMs = ctx.clock.nowMs();
  try {
    if (rules.check !== undefined && rules.check !== "tcp") {
      return await checkHttp(place, { rules, path: rules.check, ctx, signal });
    }
    const { timeoutMs } = rules;
    const connection = await ctx.net.connectTcp(place, { timeoutMs, signal });
    const roundTripMs = ctx.clock.nowMs() - startedAtMs;
    connection[Symbol.dispose]();
    return { kind: "passed", reason: "takes connections", roundTripMs };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunError)) throw error;
    return { kind: "missed", reason: messageOf(error) };
  }
}

async function checkHttp(
  { host, port }: CheckedPlace,
  { rules, path, ctx, signal }: {
    readonly rules: WatchRules;
    readonly path: string;
    readonly ctx: RoleContext;
    readonly signal: AbortSignal;
  },
): Promise<CheckOutcome> {
  const { clock } = ctx;
  const { timeoutMs, status, body } = rules;
  const startedAtMs = clock.nowMs();
  using own = new LinkedAbort(signal);
  const authority = rules.host ?? formatHostPort({ host, port });
  const response = await ctx.net.fetch(`http://${authority}${path}`, {
    timeoutMs,
    signal: own.signal,
    ...(rules.host === undefined ? {} : { connectTo: { host, port } }),
    // The connection is not kept: a check is to find out whether there can be one
    headers: { connection: "close" },
  });
  const roundTripMs = clock.nowMs() - startedAtMs;
  if (response.status !== status) {
    response.body?.cancel().catch(() => {});
    return {
      kind: "missed",
      reason: `its status is ${response.status}, not ${status}`,
    };
  }
  const passed: CheckOutcome = {
    kind: "passed",
    reason: `answers with ${status}`,
    roundTripMs,
  };
  if (body === undefined) {
    // It may be a film
    response.body?.cancel().catch(() => {});
    return passed;
  }
  const text = fromUtf8(
    await readBody(response.body, {
      what: "the answer to a check",
      clock,
      maxBytes: MAX_CHECK_BYTES,
      cutsOff: true,
      // Whole ones, as the reason tells them
      limitMs: Math.max(1, Math.ceil(timeoutMs - roundTripMs)),
      signal,
    }),
  );
  return text.includes(body)
    ? passed
    : { kind: "missed", reason: `there is no "${body}" in its answer` };
}

/** Reads an edge's page of metrics. @throws {RunError} If it cannot be had; `signal`'s reason if it aborts. */
export async function readMetrics(
  url: string,
  { ctx, signal, timeoutMs }: {
    readonly ctx: RoleContext;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  },
): Promise<string> {
  using own = new LinkedAbort(signal);
  const response = await ctx.net.fetch(url, { timeoutMs, signal: own.signal });
  if (response.status !== 200) {
    response.body?.cancel().catch(() => {});
    throw new RunError(
      "fetch-failed",
      `Cannot read ${url}: its status is ${response.status}, not 200`,
    );
  }
  return fromUtf8(
    await readBody(response.body, {
      what: url,
      clock: ctx.clock,
      maxBytes: MAX_METRICS_BYTES,
      limitMs: timeoutMs,
      signal,
    }),
  );
}
