import { STATUS_CODES } from "node:http";
import { extname, join } from "jsr:@std/path@^1";
export const STATUS_CODE = {
  OK: 200,
  NoContent: 204,
  PartialContent: 206,
  MovedPermanently: 301,
  Found: 302,
  NotModified: 304,
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  PreconditionFailed: 412,
  RangeNotSatisfiable: 416,
  InternalServerError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
} as const;
export type StatusCode = typeof STATUS_CODE[keyof typeof STATUS_CODE];
export const STATUS_TEXT: Record<number, string> = Object.fromEntries(
  Object.entries(STATUS_CODES).map(([k, v]) => [k, v ?? ""]),
);
export interface ServerSentEventMessage {
  comment?: string;
  event?: string;
  data?: string;
  id?: string | number;
  retry?: number;
}
export class ServerSentEventStream
  extends TransformStream<ServerSentEventMessage, Uint8Array> {
  constructor() {
    const e = new TextEncoder();
    super({
      transform(m, c) {
        let s = "";
        if (m.comment) s += `:${m.comment}\n`;
        if (m.event) s += `event:${m.event}\n`;
        if (m.data !== undefined) {
          for (const l of m.data.split(/\r\n|[\r\n]/)) {
            s += `data:${l}\n`;
          }
        }
        if (m.id !== undefined) s += `id:${m.id}\n`;
        if (m.retry) s += `retry:${m.retry}\n`;
        c.enqueue(e.encode(s + "\n"));
      },
    });
  }
}
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=UTF-8",
  ".js": "text/javascript; charset=UTF-8",
  ".css": "text/css; charset=UTF-8",
  ".json": "application/json; charset=UTF-8",
  ".svg": "image/svg+xml",
  ".mpd": "application/dash+xml",
  ".m4s": "video/iso.segment",
  ".mp4": "video/mp4",
  ".ts": "video/mp2t",
  ".txt": "text/plain; charset=UTF-8",
  ".torrent": "application/x-bittorrent",
};
export async function eTag(
  e: string | Uint8Array | { size: number; mtime: Date | null },
  o: { weak?: boolean } = {},
): Promise<string | undefined> {
  const file = typeof e === "object" && "mtime" in e;
  if (file && !e.mtime) return undefined;
  const b = file
    ? new TextEncoder().encode(e.mtime!.toJSON())
    : typeof e === "string"
    ? new TextEncoder().encode(e)
    : e as Uint8Array;
  const h = btoa(
    String.fromCharCode(
      ...new Uint8Array(
        await crypto.subtle.digest("SHA-256", b as BufferSource),
      ),
    ),
  ).slice(0, 27);
  return file
    ? `W/"${e.size.toString(16)}-${h}"`
    : `${o.weak ? "W/" : ""}"${b.length.toString(16)}-${h}"`;
}
export function ifNoneMatch(
  value: string | null,
  etag: string | undefined,
): boolean {
  if (!value || !etag) return true;
  if (value.trim() === "*") return false;
  const n = (s: string) => s.trim().replace(/^W\//, "");
  return !value.split(",").map(n).includes(n(etag));
}
export interface ServeFileOptions {
  etagAlgorithm?: AlgorithmIdentifier;
  fileInfo?: Deno.FileInfo;
}
export async function serveFile(
  req: Request,
  path: string,
  opts?: ServeFileOptions,
): Promise<Response> {
  if (req.method !== "GET" && req.method !== "HEAD") {
    return new Response("Method Not Allowed", { status: 405 });
  }
  let f: Deno.FileInfo;
  try {
    f = opts?.fileInfo ?? await Deno.stat(path);
  } catch (e) {
    if (e instanceof Deno.errors.NotFound) {
      await req.body?.cancel();
      return new Response("Not Found", { status: 404 });
    }
    throw e;
  }
  if (f.isDirectory) return new Response("Not Found", { status: 404 });
  const h = new Headers({
    server: "@std/http",
    "accept-ranges": "bytes",
    date: new Date().toUTCString(),
  });
  const tag = await eTag(f);
  if (f.mtime) h.set("last-modified", f.mtime.toUTCString());
  if (tag) h.set("etag", tag);
  const ct = TYPES[extname(path)];
  if (ct) h.set("content-type", ct);
  const inm = req.headers.get("if-none-match"),
    ims = req.headers.get("if-modified-since");
  if (
    !ifNoneMatch(inm, tag) ||
    (inm === null && f.mtime && ims &&
      f.mtime.getTime() < Date.parse(ims) + 1000)
  ) return new Response(null, { status: 304, headers: h });
  let start = 0, end = f.size - 1, status = 200;
  const m = req.headers.get("range")?.match(/^bytes=(\d+)?-(\d+)?$/);
  if (m && f.size && (m[1] || m[2])) {
    if (m[1]) {
      start = +m[1];
      if (m[2]) end = Math.min(end, +m[2]);
    } else start = Math.max(0, f.size - +m[2]);
    if (start > end || start >= f.size) {
      h.set("content-range", `bytes */${f.size}`);
      return new Response("Range Not Satisfiable", { status: 416, headers: h });
    }
    status = 206;
    h.set("content-range", `bytes ${start}-${end}/${f.size}`);
  }
  h.set("content-length", String(end - start + 1));
  if (req.method === "HEAD") return new Response(null, { status, headers: h });
  const file = await Deno.open(path);
  if (start) await file.seek(start, Deno.SeekMode.Start);
  if (status === 200) {
    return new Response(file.readable, { status, headers: h });
  }
  let left = end - start + 1;
  return new Response(
    file.readable.pipeThrough(
      new TransformStream({
        transform(c: Uint8Array, k) {
          if (c.length >= left) {
            k.enqueue(c.subarray(0, left));
            left = 0;
            k.terminate();
          } else {
            left -= c.length;
            k.enqueue(c);
          }
        },
      }),
    ),
    { status, headers: h },
  );
}
export interface ServeDirOptions {
  fsRoot?: string;
  urlRoot?: string;
  showIndex?: boolean;
  showDirListing?: boolean;
  showDotfiles?: boolean;
  enableCors?: boolean;
  quiet?: boolean;
  headers?: string[];
}
export async function serveDir(
  req: Request,
  o: ServeDirOptions = {},
): Promise<Response> {
  let p: string;
  try {
    p = decodeURIComponent(new URL(req.url).pathname);
  } catch {
    return new Response("Bad Request", { status: 400 });
  }
  if (o.urlRoot) {
    if (!p.startsWith(`/${o.urlRoot}`)) {
      return new Response("Not Found", { status: 404 });
    }
    p = p.slice(o.urlRoot.length + 1) || "/";
  }
  let f = join(o.fsRoot ?? ".", join("/", p));
  if (
    (o.showIndex ?? true) && (await Deno.stat(f).catch(() => null))?.isDirectory
  ) f = join(f, "index.html");
  const r = await serveFile(req, f);
  if (o.enableCors) r.headers.set("access-control-allow-origin", "*");
  for (const x of o.headers ?? []) {
    const i = x.indexOf(":");
    r.headers.append(x.slice(0, i), x.slice(i + 1).trim());
  }
  return r;
}
const parse = (v: string | null) =>
  (v ?? "*/*").split(",").map((s, i) => {
    const [t, ...ps] = s.trim().split(";");
    const q = ps.map((x) => /^\s*q=([\d.]+)/.exec(x)?.[1]).find(Boolean);
    return { t: t.trim(), q: q ? +q : 1, i };
  }).filter((x) => x.q > 0).sort((a, b) => b.q - a.q || a.i - b.i);
export function accepts<T extends string>(
  req: Pick<Request, "headers">,
  ...types: T[]
): T | undefined {
  for (const { t } of parse(req.headers.get("accept"))) {
    const hit = types.find((x) =>
      t === "*/*" || x === t ||
      (t.endsWith("/*") && x.startsWith(t.slice(0, -1)))
    );
    if (hit) return hit;
  }
  return undefined;
}
