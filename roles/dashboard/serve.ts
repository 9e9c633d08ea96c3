import { Hono } from "hono";
import { formatHostPort } from "../../lib/core/address.ts";
import { messageOf, RunError } from "../../lib/core/errors.ts";
import { pages } from "../../lib/io/pages.ts";
import { withPageStyle } from "../../lib/report/page_style.ts";
import { Broadcast } from "../../lib/observe/broadcast.ts";
import type { RoleContext } from "../../lib/role.ts";
import { browse } from "../../lib/roster/browse.ts";
import type { RosterRow } from "../../lib/roster/row.ts";
import { Board, type BoardMessage, whereOf } from "./board.ts";
import { Feeds } from "./feeds.ts";
import { reachOf } from "./reach.ts";

/** How often pages are told what is new. */
const TELL_MS = 250;
/** Messages a page may fall behind, some ten seconds: they can be large. It then asks again, and begins with what is. */
const MAX_BEHIND = 100;
/** The page takes scripts and styles from here and its own head only. */
const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The dashboard's flags. */
interface DashboardFlags {
  readonly host: string;
  readonly port: number;
  readonly watch: readonly { readonly host: string; readonly port: number }[];
  readonly alone: boolean;
}

/** Serves the page until `ctx.signal` aborts. */
export async function serveDashboard(
  flags: DashboardFlags,
  ctx: RoleContext,
): Promise<void> {
  const board = new Board();
  const readers = new Broadcast<BoardMessage>(({ kind, ...rest }) => ({
    event: kind,
    data: JSON.stringify({ ...rest, nowMs: ctx.clock.wallMs() }),
  }), { clock: ctx.clock, maxBehind: MAX_BEHIND });
  await using server = ctx.net.serveHttp(
    { host: flags.host, port: flags.port },
    pages(await site(board, readers)),
  );
  ctx.emit({
    type: "role.listening",
    transport: "http",
    host: server.host,
    port: server.port,
  });
  await using feeds = new Feeds(ctx, board);
  const watched = new Set<string>();
  for (const at of flags.watch) {
    const id = formatHostPort(at);
    watched.add(id);
    board.set(id, { where: id });
    feeds.follow(id, at);
  }
  await Promise.all([
    tell(board, readers, ctx),
    ...(flags.alone ? [] : [lookAround(watched, { board, feeds }, ctx)]),
  ]);
  readers.close();
}

/** The page, its script, and what it is told. */
async function site(board: Board, readers: Broadcast<BoardMessage>) {
  const { page, script } = await import("./assets.ts");
  const app = new Hono();
  app.get("/", (c) =>
    c.html(withPageStyle(page), 200, {
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
    }));
  app.get("/page.js", (c) =>
    c.body(script, 200, {
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
    }));
  app.get("/board", (c) => c.json({ sources: board.sources }));
  app.get("/stream", () => readers.answer(board.all()));
  return (request: Request) => app.fetch(request);
}

/** Tells all pages what is new, four times a second. */
async function tell(
  board: Board,
  readers: Broadcast<BoardMessage>,
  { clock, signal }: RoleContext,
): Promise<void> {
  try {
    for (;;) {
      await clock.sleepUntil(clock.nowMs() + TELL_MS, signal);
      for (const message of board.news(clock.nowMs())) readers.send(message);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Puts the roles of the LAN on the board, and follows those whose events can be had; those of the `watched` places are there already. */
async function lookAround(
  watched: ReadonlySet<string>,
  { board, feeds }: { readonly board: Board; readonly feeds: Feeds },
  ctx: RoleContext,
): Promise<void> {
  let own: readonly string[] = [];
  const isMyself = (row: RosterRow) =>
    row.role === "dashboard" && row.name === ctx.name;
  const found = (row: RosterRow) => {
    if (isMyself(row) || !board.hasRoom) return;
    const id = row.instance;
    const { role, name } = row;
    const reach = reachOf(row, own);
    const place = "at" in reach ? formatHostPort(reach.at) : "";
    if (watched.has(place)) {
      return board.set(place, { where: whereOf(row) });
    }
    board.set(id, { role, name, where: whereOf(row) });
    if ("at" in reach) feeds.follow(id, reach.at);
    else {
      feeds.stop(id);
      board.set(id, { state: "silent", reason: reach.reason });
    }
    ctx.emit({
      type: "instance.found",
      instance: id,
      instanceRole: role,
      addresses: row.addresses.join(" "),
      sockets: row.sockets.map(({ transport, port }) => `${transport} ${port}`)
        .join(", "),
      ...(row.admin === undefined ? {} : { admin: formatHostPort(row.admin) }),
      version: row.version,
    });
  };
  const lost = (instance: string) => {
    const source = board.sources.find(({ id }) => id === instance);
    if (source === undefined) return;
    feeds.stop(instance);
    board.leave(instance, ctx.clock.nowMs());
    ctx.emit({ type: "instance.lost", instance, instanceRole: source.role });
  };
  try {
    await browse({
      ...{ clock: ctx.clock, net: ctx.net, host: "", signal: ctx.signal },
      ...{ joined: (interfaces) => own = interfaces, found, lost },
    });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    ctx.emit({ type: "role.unannounced", reason: messageOf(error) });
  }
}
