/**
 * A machine of the lab that stands by: a demo that is played elsewhere starts its programs here.
 *
 * It starts roles of this program and nothing else, keeps their files in a folder of its own, and does what it is told by
 * who has its token only. A program lives as long as the one that started it listens to its events.
 */
import { isAbsolute, join, normalize } from "@std/path";
import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http";
import { type Context, Hono } from "hono";
import { equalBytes, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { InputError, messageOf, RunError } from "../../../lib/core/errors.ts";
import type { DemoEvent } from "../../../lib/events/demo.ts";
import { textOf } from "../../../lib/events/mod.ts";
import { secretBytes, sha256 } from "../../../lib/io/hash.ts";
import { LinkedAbort, OVER } from "../../../lib/io/linked_abort.ts";
import { pages } from "../../../lib/io/pages.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RunningRole } from "../../../lib/io/processes.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { type FarProgram, FOLDER, isStageRole } from "./far_protocol.ts";

/** Largest file that is taken. */
const MAX_FILE_BYTES = 1 << 28;
/** Most programs at once. */
const MAX_PROGRAMS = 64;
/** Most of what is told of a program that is not fetched yet. */
const MAX_BEHIND = 100_000;
/** So often a program's listener is told that it runs: that nobody listens any more is seen only when something is sent. */
const BEAT_MS = 1000;
/** Shortest token: longer than anybody guesses in a lesson. */
const MIN_TOKEN = 8;

/** The flags of this mode. */
export interface StandByFlags {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

/** Stands by until `ctx.signal` aborts. */
export async function standBy(
  flags: StandByFlags,
  ctx: RoleContext,
): Promise<void> {
  if (flags.token !== undefined && flags.token.length < MIN_TOKEN) {
    throw new InputError(`--token must have ${MIN_TOKEN} characters or more`);
  }
  const token = flags.token ?? toHex(secretBytes(6));
  const folder = await ctx.files.makeTemporaryFolder("rolecall-stand-by-");
  const programs = new Map<number, RunningRole>();
  try {
    await using server = ctx.net.serveHttp(
      { host: flags.host, port: flags.port },
      pages(site({ ctx, token, folder, programs })),
    );
    ctx.emit({
      type: "role.listening",
      transport: "http",
      host: server.host,
      port: server.port,
    });
    if (flags.token === undefined) {
      ctx.terminal.write(`token: ${token}\n`);
    }
    await pauseUntil(Infinity, ctx);
    const all = [...programs.values()];
    await Promise.all(all.map((role) => role[Symbol.asyncDispose]()));
  } finally {
    await ctx.files.remove(folder);
  }
}

interface Stand {
  readonly ctx: RoleContext;
  readonly token: string;
  readonly folder: string;
  readonly programs: Map<number, RunningRole>;
}

/** What may be asked, by who has the token. */
function site(stand: Stand) {
  const { ctx, folder, programs } = stand;
  const expected = sha256(utf8(`Bearer ${stand.token}`));
  const app = new Hono();
  app.use(async (c, next) => {
    const given = sha256(utf8(c.req.header("authorization") ?? ""));
    if (!equalBytes(given, expected)) return c.text("Wrong token\n", 401);
    await next();
  });
  app.get("/time", (c) => c.json({ wallMs: ctx.clock.wallMs() }));
  app.get(
    "/list/*",
    async (c) => c.json(await listed(stand, pathOf(c, "list"))),
  );
  app.get("/files/*", async (c) => {
    const path = join(folder, pathOf(c, "files"));
    const bytes = await ctx.files.read(path, { maxBytes: MAX_FILE_BYTES });
    return c.body(bytes);
  });
  app.put("/files/*", async (c) => {
    const at = Number(c.req.query("at") ?? 0);
    if (!(at >= 0 && at <= MAX_FILE_BYTES)) {
      throw new InputError(`at must be up to ${MAX_FILE_BYTES}`);
    }
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const path = join(folder, pathOf(c, "files"));
    await using file = await ctx.files.open(path, {
      ...{ write: true, create: true },
    });
    await file.truncate(at);
    await file.writeAt(at, bytes);
    return c.body(null, 204);
  });
  app.post("/programs", async (c) => start(stand, await c.req.json()));
  app.delete("/programs/:id", (c) => {
    programs.get(Number(c.req.param("id")))?.stop();
    return c.body(null, 204);
  });
  app.onError((error, c) =>
    error instanceof RunError
      ? c.text(`${error.message}\n`, error.code === "not-found" ? 404 : 500)
      : c.text(`${messageOf(error)}\n`, 400)
  );
  return (request: Request) => app.fetch(request);
}

/** The part of the URL that names a file: inside the folder. */
function pathOf(c: Context, under: string): string {
  const text = decodeURIComponent(c.req.path).slice(under.length + 2);
  const path = normalize(text);
  const isInside = text !== "" && !isAbsolute(path) &&
    !path.split(/[/\\]/).includes("..") && !text.includes("\0");
  if (!isInside) throw new InputError(`"${text}" is no path of the folder`);
  return path;
}

/** Files at or below a path, by their paths. */
async function listed(stand: Stand, path: string): Promise<string[]> {
  const { files } = stand.ctx;
  const found = await files.stat(join(stand.folder, path));
  if (found?.kind === "file") return [path];
  if (found?.kind !== "folder") return [];
  const inside = await files.list(join(stand.folder, path));
  const all = await Promise.all(
    inside.map(({ name }) => listed(stand, join(path, name))),
  );
  return all.flat();
}

/** Starts a program; the answer is all that it says, and ends with it. Who stops reading ends it. */
function start(stand: Stand, asked: FarProgram): Response {
  const { ctx, folder, programs } = stand;
  const { args } = asked;
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== "string")) {
    throw new InputError("a program has args, which are texts");
  }
  if (!isStageRole(args[0] ?? "")) {
    throw new InputError(`a stage starts roles, not "${args[0]}"`);
  }
  if (programs.size >= MAX_PROGRAMS) {
    throw new InputError(`there are ${MAX_PROGRAMS} programs already`);
  }
  const role = ctx.processes.startSelf(
    args.map((arg) => arg.replaceAll(FOLDER, folder)),
  );
  programs.set(role.pid, role);
  // Whose machine it is sees what it does, as who plays the demo does there.
  const tell = (event: DemoEvent) => {
    ctx.emit(event);
    ctx.terminal.write(`${textOf(event)}\n`);
  };
  tell({
    type: "program.started",
    program: `${role.pid}`,
    pid: role.pid,
    command: `rolecall ${args.join(" ")}`,
  });
  let leave = () => {};
  const over = new LinkedAbort(ctx.signal);
  const told = new ReadableStream<ServerSentEventMessage>({
    start(controller) {
      const send = (event: string, data: unknown) => {
        if ((controller.desiredSize ?? 0) <= 0) return role.stop();
        controller.enqueue({ event, data: JSON.stringify(data) });
      };
      send("started", { pid: role.pid });
      for (const event of role.events) send("event", event);
      leave = role.subscribe((event) => send("event", event));
      void beat(ctx.clock, over.signal, () => send("alive", {}));
      void role.exited.then((outcome) => {
        programs.delete(role.pid);
        tell({
          type: "program.ended",
          program: `${role.pid}`,
          exitCode: outcome.code,
        });
        send("exited", outcome);
        controller.close();
      }).catch(() => {}).finally(() => over.abort(OVER));
    },
    cancel() {
      over.abort(OVER);
      leave();
      void role[Symbol.asyncDispose]();
    },
  }, { highWaterMark: MAX_BEHIND });
  return new Response(told.pipeThrough(new ServerSentEventStream()), {
    headers: { "content-type": "text/event-stream" },
  });
}

/** Calls `tell` every {@linkcode BEAT_MS} until the signal aborts. */
async function beat(
  clock: RoleContext["clock"],
  signal: AbortSignal,
  tell: () => void,
): Promise<void> {
  while (!signal.aborted) {
    await pauseUntil(clock.nowMs() + BEAT_MS, { clock, signal });
    if (!signal.aborted) tell();
  }
}
