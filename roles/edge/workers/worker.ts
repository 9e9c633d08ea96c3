import { keyOwner } from "../../../lib/http/cache/key_owner.ts";
import { type Cmcd, takeCmcd } from "../../../lib/http/cmcd.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import type { HttpHandler, HttpRequest } from "../../../lib/io/http.ts";
import { runAsThread } from "../../../lib/run_thread.ts";
import {
  type EdgeCounts,
  type EdgeGauges,
  EdgeMetrics,
} from "../account/metrics.ts";
import type { EdgeFlags } from "../flags.ts";
import type { Node } from "../node.ts";
import type { EdgeContext } from "../answer/parts.ts";
import { forgetIn, type PurgeOrder } from "../front/purge.ts";
import { cacheOf, type NodeRun, runNode } from "../run_node.ts";
import { WorkerLink } from "./link.ts";

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
  const made = Promise.withResolvers<Node>();
  const service = serviceOf(made.promise, { cache, disk, metrics });
  using opened = new DisposableStack();
  const join = (port: MessagePort) =>
    opened.use(new WorkerLink(port, service, ctx.clock));
  const lead = join(task.lead);
  const links = ports.map((port) => port === null ? null : join(port));
  const route = routeOf(index, { links, lead, handle: service.handle });
  await runNode(flags, ctx, {
    cache,
    disk,
    metrics,
    players: {
      // Nobody is left to be told when the link has ended.
      note: (remote, said) =>
        void lead.call({ kind: "note", remote, said }).catch(() => {}),
    },
    purger: {
      // Of all threads: see `route`.
      answer: (request) => lead.ask(request),
    },
    forget: (target) => {
      const order = { kind: "url" as const, what: target };
      const owner = links[keyOwner(target, parts)] ?? service;
      return owner.call({ kind: "forget", order });
    },
    mark: task.mark,
    made: made.resolve,
    shared: {
      route,
      allClosed: async () => void await lead.call({ kind: "closed" }),
      end: () => opened.dispose(),
    },
  });
}

/** What a thread does for others, who may ask before it has taken up its part of the disk. */
function serviceOf(
  made: Promise<Node>,
  { cache, disk, metrics }: Pick<NodeRun, "cache" | "disk" | "metrics">,
) {
  let node: Node | undefined;
  void made.then((it) => node = it);
  return {
    handle: (request: HttpRequest) =>
      node === undefined
        ? made.then(({ front }) => front.handle(request))
        : node.front.handle(request),
    async call(given: unknown): Promise<unknown> {
      const asked = given as WorkerCall;
      if (asked.kind === "look") {
        return { counts: metrics.counts(), gauges: (await made).gauges() };
      }
      await made;
      const count = forgetIn(cache.tiers, asked.order);
      // Before anybody hears of it, on the disk too.
      await disk?.caughtUp();
      return count;
    },
  };
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
