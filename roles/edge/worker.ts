import { type Cmcd, takeCmcd } from "../../lib/http/cmcd.ts";
import { keyOwner } from "../../lib/http/key_owner.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { HttpHandler, HttpRequest } from "../../lib/io/http.ts";
import { runAsThread } from "../../lib/run_thread.ts";
import {
  type EdgeCounts,
  type EdgeGauges,
  EdgeMetrics,
} from "./edge_metrics.ts";
import type { EdgeFlags } from "./flags.ts";
import type { Node } from "./node.ts";
import type { EdgeContext } from "./parts.ts";
import { forgetIn, type PurgeOrder } from "./purge.ts";
import { cacheOf, runNode } from "./run_node.ts";
import { WorkerLink } from "./worker_link.ts";

/** Where this module is: what starts it in a thread needs to know. */
export const WORKER_MODULE: string = import.meta.url;

/** What a thread of an edge is given. */
export interface WorkerTask {
  /** From 0. */
  readonly index: number;
  /** With the port that all listen on, and this one's share of every budget. */
  readonly flags: EdgeFlags;
  /** See {@linkcode EdgeParts.mark}. */
  readonly mark: string;
  /** To each other thread, by its index; null at this one's own. */
  readonly links: readonly (MessagePort | null)[];
  /** To the thread that started all. */
  readonly lead: MessagePort;
}

/** What the lead calls for, and threads of each other. */
export type WorkerCall =
  | { readonly kind: "forget"; readonly order: PurgeOrder }
  | { readonly kind: "look" };

/** How one thread stands. */
export interface WorkerState {
  readonly counts: EdgeCounts;
  readonly gauges: EdgeGauges;
}

/** What threads call for of the lead. */
export type LeadCall =
  /** A player said something. */
  | {
    readonly kind: "note";
    readonly remote: string;
    readonly said: Cmcd;
  }
  /** This one has no clients any more: answered when none has. */
  | { readonly kind: "closed" };

runAsThread(runWorker);

/** One thread's part of an edge: its clients are anybody's, its objects are its own. */
async function runWorker(task: WorkerTask, ctx: EdgeContext): Promise<void> {
  const { index, flags, links: ports } = task;
  const parts = ports.length;
  const metrics = new EdgeMetrics();
  const { cache, disk } = cacheOf(flags, ctx, {
    index,
    isMine: (target) => keyOwner(target, parts) === index,
  });
  // Others may ask before this one has taken up its part of the disk.
  const made = Promise.withResolvers<Node>();
  let node: Node | undefined;
  const call = async (given: unknown) => {
    const asked = given as WorkerCall;
    const ready = await made.promise;
    if (asked.kind === "look") {
      return { counts: metrics.counts(), gauges: ready.gauges() };
    }
    const count = forgetIn(cache.tiers, asked.order);
    // Before anybody hears of it, on the disk too.
    await disk?.settled();
    return count;
  };
  const handle: HttpHandler = (request) =>
    node === undefined
      ? made.promise.then(({ front }) => front.handle(request))
      : node.front.handle(request);
  using opened = new DisposableStack();
  const lead = opened.use(
    new WorkerLink(task.lead, { handle, call }, ctx.clock),
  );
  const links = ports.map((port) =>
    port === null
      ? null
      : opened.use(new WorkerLink(port, { handle, call }, ctx.clock))
  );
  const route = routeOf(index, { links, lead, handle });
  await runNode(flags, ctx, {
    cache,
    disk,
    metrics,
    players: {
      note: (remote, said) => void lead.call({ kind: "note", remote, said }),
    },
    purger: {
      // Of all threads: see `route`.
      answer: (request) => lead.ask(request),
    },
    forget: (target) => {
      const order = { kind: "url" as const, what: target };
      const link = links[keyOwner(target, parts)];
      return Promise.resolve(
        link?.call({ kind: "forget", order }) ??
          call({ kind: "forget", order }),
      );
    },
    mark: task.mark,
    made: (it) => {
      node = it;
      made.resolve(it);
    },
    shared: {
      route,
      allClosed: async () => void await lead.call({ kind: "closed" }),
      end: () => opened.dispose(),
    },
  });
}

/** Requests go to whoever keeps what they ask for. */
function routeOf(
  index: number,
  { links, lead, handle }: {
    readonly links: readonly (WorkerLink | null)[];
    readonly lead: WorkerLink;
    readonly handle: HttpHandler;
  },
): HttpHandler {
  return (request: HttpRequest) => {
    if (request.method === "PURGE") return lead.ask(request);
    const key = normaliseTarget(takeCmcd(request.target).target);
    const owner = key === undefined ? index : keyOwner(key, links.length);
    return links[owner]?.ask(request) ?? handle(request);
  };
}
