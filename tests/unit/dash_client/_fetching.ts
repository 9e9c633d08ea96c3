import type { Net } from "../../../lib/io/net.ts";
import { Fetcher } from "../../../roles/dash_client/network/fetcher.ts";
import type { Link } from "../../../roles/dash_client/network/link.ts";
import { Names } from "../../../roles/dash_client/network/names.ts";
import type { ManualClock } from "../../support/manual_clock.ts";
import { roleContext } from "../../support/role_context.ts";

/** A fetcher whose answers come from `answer`, at once. */
export function fetcherOf(
  answer: (url: string, options: Parameters<Net["fetch"]>[1]) => Response,
  { clock, link, timeoutMs = 60_000, signal = new AbortController().signal }: {
    readonly clock: ManualClock;
    readonly link?: Link;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  },
): Fetcher {
  const fetch: Net["fetch"] = (url, options) =>
    Promise.resolve(answer(url, options));
  const ctx = roleContext({ clock, signal, net: { fetch } });
  return new Fetcher(ctx, new Names(undefined, ctx), { timeoutMs, link });
}
