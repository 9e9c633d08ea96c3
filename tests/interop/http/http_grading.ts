/** The grading tests of HTTP: what programs of others have of the points, and what careless ones do not have. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { untilListening } from "../../support/eventually.ts";
import { failuresOf } from "../../support/grading.ts";
import { runTool, temporaryFolder } from "../../support/program.ts";
import { freePort, startTool } from "../../support/tools.ts";

/** Starts nginx with one server. */
async function startNginx(folder: string, port: number, rules: string) {
  const own = join(folder, `nginx-${port}`);
  await Deno.mkdir(own);
  await Deno.chmod(folder, 0o755);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${own}/${name};`).join(" ");
  await Deno.writeTextFile(
    `${own}/nginx.conf`,
    `daemon off; pid ${own}/pid; error_log ${own}/error.log; user root;
events {}
http {
  access_log off; ${temporary}
  types { application/dash+xml mpd; video/mp4 m4s mp4; }
  proxy_cache_path ${own}/cache keys_zone=one:1m;
  server { listen 127.0.0.1:${port}; ${rules} }
}`,
  );
  const server = startTool([
    ...["nginx", "-c", `${own}/nginx.conf`, "-e", `${own}/error.log`],
  ], { stop: "SIGTERM" });
  await untilListening(port);
  return server;
}

async function startPython(file: string, port: number, ...rest: string[]) {
  const path = new URL(`../../testdata/python/${file}`, import.meta.url);
  const server = startTool([
    ...["/usr/bin/python3", fromFileUrl(path), "127.0.0.1", `${port}`],
    ...rest,
  ]);
  await untilListening(port);
  return server;
}

/** Makes a title of two rates with ffmpeg's own writer of DASH. */
async function makeTitle(folder: string): Promise<void> {
  const rates = ["300k", "100k"].flatMap((rate, index) => [
    ...["-map", "0:v", `-b:v:${index}`, rate, `-maxrate:v:${index}`, rate],
    ...[`-bufsize:v:${index}`, rate],
  ]);
  const { code, stderr } = await runTool("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=25:d=11"],
    ...[...rates, "-c:v", "libx264", "-preset", "ultrafast", "-g", "50"],
    ...["-sc_threshold", "0", "-seg_duration", "2", "-f", "dash"],
    join(folder, "manifest.mpd"),
  ]);
  assertEquals(code, 0, stderr);
}

/** The points of both files about caches that a proxy does not get. */
async function cdnFailures(port: number, originPort: number) {
  const env = {
    ROLECALL_TARGET: `http://127.0.0.1:${port}`,
    ROLECALL_ORIGIN_PORT: `${originPort}`,
  };
  return [
    ...await failuresOf("05_cdn", env),
    ...await failuresOf("05_cdn_faults", env),
  ];
}

Deno.test("grading 02: nginx has all points, Python's own server and a careless one do not", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "page.html"), "page\n".repeat(50));
  const failures = (port: number) =>
    failuresOf("02_http", {
      ROLECALL_TARGET: `http://127.0.0.1:${port}/page.html`,
    });
  const [port, simplePort, carelessPort] = [freePort(), freePort(), freePort()];
  await using _nginx = await startNginx(
    ...[folder.path, port, `root ${folder.path};`] as const,
  );
  assertEquals(await failures(port), []);
  await using _simple = startTool([
    ...["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1"],
    ...["--directory", folder.path, `${simplePort}`],
  ]);
  await untilListening(simplePort);
  assertEquals(await failures(simplePort), [
    "answer: the file is 200, HTTP/1.1, with its type and length",
    "connection: it is kept for a second request, also after a 404",
    "connection: requests sent at once are answered in their order (extra)",
    "range: bytes 10 to 19 are 206 with Content-Range (extra)",
    "refused: HTTP/1.1 without Host is 400 (extra)",
  ]);
  await using _careless = await startPython(
    ...["careless_origin.py", carelessPort, folder.path] as const,
  );
  assertEquals(await failures(carelessPort), [
    "answer: Date says when it was made (extra)",
    "answer: a request that comes in pieces is answered when it is whole",
    "answer: the file is 200, HTTP/1.1, with its type and length",
    "connection: it is kept for a second request, also after a 404",
    "connection: requests sent at once are answered in their order (extra)",
    "head: HEAD has the fields of GET and no body",
    "many: a client that says nothing does not hold up another",
    "missing: what is not there is 404",
    "range: bytes 10 to 19 are 206 with Content-Range (extra)",
    "refused: HTTP/1.1 without Host is 400 (extra)",
    "refused: methods it does not know are 405 or 501",
    "refused: nothing outside its folder, by .. in any spelling",
    "unchanged: who has the file (by Last-Modified or ETag) gets 304 without a body",
  ]);
});

Deno.test("grading 04: nginx with a title of ffmpeg's has all points", async () => {
  await using folder = await temporaryFolder();
  await makeTitle(folder.path);
  const port = freePort();
  const rules = `root ${folder.path}; gzip on; gzip_vary on;
    gzip_types application/dash+xml; gzip_min_length 1;
    add_header Access-Control-Allow-Origin *; expires 1h;`;
  await using _nginx = await startNginx(folder.path, port, rules);
  const env = { ROLECALL_TARGET: `127.0.0.1:${port}` };
  assertEquals(await failuresOf("04_streaming", env), []);
});

Deno.test("grading 04: a careless web server fails where it should", async () => {
  await using folder = await temporaryFolder();
  await makeTitle(folder.path);
  const port = freePort();
  await using _server = await startPython(
    ...["careless_origin.py", port, folder.path] as const,
  );
  const env = { ROLECALL_TARGET: `127.0.0.1:${port}` };
  assertEquals(await failuresOf("04_streaming", env), [
    "caches: a segment says for how long it may be kept (Cache-Control) (extra)",
    "caches: gzip makes the manifest smaller, for who takes it (Vary) (extra)",
    "head: HEAD has the fields of GET and no body",
    "manifest: it is served as application/dash+xml",
    "many: a client that says nothing does not hold up another",
    "pages: pages of other servers may read manifest and segments (CORS)",
    "range: If-Range gives the part of this file, and the whole of a changed one (extra)",
    "range: one after the end is 416 and says how long the file is",
    "range: one without an end, or with one too far, reaches to the last byte",
    "range: the bytes from 10 to 19 are 206 with Content-Range",
    "range: the last 7 bytes (bytes=-7)",
    "range: two at once come as multipart/byteranges (extra)",
    "refused: files are not changed by POST, PUT and DELETE",
    "refused: nothing outside its folder, by .. in any spelling",
    "refused: what is not there is 404, and the next is served",
    "segments: their count fits the duration of the title",
    "unchanged: the ETag may stand in a list, and * is any (extra)",
    "unchanged: who has the file (If-None-Match with its ETag) gets 304 without a body",
  ]);
});

Deno.test("grading 05: nginx's cache has all points but those it does not claim", async () => {
  await using folder = await temporaryFolder();
  const [port, originPort] = [freePort(), freePort()];
  const rules = `location / {
    proxy_pass http://127.0.0.1:${originPort}; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_cache one; proxy_cache_revalidate on;
    proxy_cache_lock on; proxy_cache_background_update on; }`;
  await using _nginx = await startNginx(folder.path, port, rules);
  assertEquals(await cdnFailures(port, originPort), [
    "cache: Age tells the seconds since the origin answered",
    "cache: a lifetime counts from the Age that the answer came with (extra)",
    "cache: an answer to Authorization is for that client only (extra)",
    "pass: Via names the proxy in answers (extra)",
    "pass: Via names the proxy in requests (extra)",
    "pass: what Connection names ends at the proxy, in answers (extra)",
    "pass: what Connection names ends at the proxy, in requests (extra)",
  ]);
});

Deno.test("grading 05: Varnish has all points but those it does not claim", async () => {
  await using folder = await temporaryFolder();
  const [port, originPort] = [freePort(), freePort()];
  await using _varnish = startTool([
    ...["varnishd", "-F", "-a", `127.0.0.1:${port}`],
    ...["-b", `127.0.0.1:${originPort}`, "-n", join(folder.path, "varnish")],
    ...["-s", "malloc,16m", "-j", "none", "-p", "default_grace=0"],
    // Stale answers are kept, to be asked about.
    ...["-p", "default_keep=600"],
  ], { stop: "SIGTERM" });
  await untilListening(port);
  assertEquals(await cdnFailures(port, originPort), [
    "pass: Via names the proxy in requests (extra)",
  ]);
});

Deno.test("grading 05: a careless cache fails where it should", async () => {
  const [port, originPort] = [freePort(), freePort()];
  await using _cache = await startPython(
    ...["careless_cache.py", port, "127.0.0.1", `${originPort}`] as const,
  );
  assertEquals(await cdnFailures(port, originPort), [
    "cache: Age tells the seconds since the origin answered",
    "cache: Last-Modified asks as well, where there is no ETag (extra)",
    "cache: a client that has the answer (If-None-Match) gets 304, and the origin is not asked (extra)",
    "cache: a lifetime counts from the Age that the answer came with (extra)",
    "cache: a stale answer is asked about with its ETag, and 304 serves the stored body",
    "cache: after max-age the origin is asked again",
    "cache: an answer to Authorization is for that client only (extra)",
    "cache: another query is another answer",
    "cache: each language has its answer (Vary: Accept-Language), kept once (extra)",
    "cache: s-maxage counts, and not max-age",
    "cache: what has changed replaces the stale answer",
    'cache: what is "max-age=60, private" is never kept',
    'cache: what is "no-store" is never kept',
    'cache: what is "private" is never kept',
    "cache: who does not take gzip is not given what was kept for one who does (Vary)",
    "pass: HEAD has the fields of GET and no body, before and after a GET",
    "pass: Keep-Alive ends at the proxy, in answers",
    "pass: Keep-Alive ends at the proxy, in requests",
    "pass: Via names the proxy in answers (extra)",
    "pass: Via names the proxy in requests (extra)",
    "pass: a POST is not answered with what a GET has left",
    "pass: a POST reaches the origin with its body, each time",
    "pass: what Connection names ends at the proxy, in answers (extra)",
    "pass: what Connection names ends at the proxy, in requests (extra)",
    "faults: an origin that closes without an answer is 502, 503 or 504, and the proxy goes on",
    "faults: an origin that is not there is 502, 503 or 504; what was kept is served, and the proxy goes on",
    "hostile: it does not lead to other hosts, asked with a whole URL",
    "many: 50 clients of one object that is not kept yet are one fetch (extra)",
    "many: while a stale answer is renewed it may be served (stale-while-revalidate) (extra)",
  ]);
});

Deno.test("grading 05: a relay that does not read what it hands on fails where it should, and ends no test but its own", async () => {
  const [port, originPort] = [freePort(), freePort()];
  await using _relay = await startPython(
    ...["blind_relay.py", port, "127.0.0.1", `${originPort}`] as const,
  );
  assertEquals(await cdnFailures(port, originPort), [
    "cache: Age tells the seconds since the origin answered",
    "cache: Last-Modified asks as well, where there is no ETag (extra)",
    "cache: a client that has the answer (If-None-Match) gets 304, and the origin is not asked (extra)",
    "cache: a fresh answer is served again, and the origin asked once",
    "cache: a stale answer is asked about with its ETag, and 304 serves the stored body",
    "cache: each language has its answer (Vary: Accept-Language), kept once (extra)",
    "cache: s-maxage counts, and not max-age",
    "cache: what has changed replaces the stale answer",
    "cache: who does not take gzip is not given what was kept for one who does (Vary)",
    "pass: Keep-Alive ends at the proxy, in answers",
    "pass: Keep-Alive ends at the proxy, in requests",
    "pass: Via names the proxy in answers (extra)",
    "pass: Via names the proxy in requests (extra)",
    "pass: a body of 1 MiB, twice the same",
    "pass: a chunked body, twice the same",
    "pass: bytes that are no text",
    "pass: what Connection names ends at the proxy, in answers (extra)",
    "pass: what Connection names ends at the proxy, in requests (extra)",
    "faults: an origin that closes without an answer is 502, 503 or 504, and the proxy goes on",
    "faults: an origin that is not there is 502, 503 or 504; what was kept is served, and the proxy goes on",
    "hostile: Content-Length beside Transfer-Encoding hides no request (extra)",
    "hostile: a bare line feed in a field goes no further (extra)",
    "hostile: a request without a path does not end the proxy",
    "hostile: it does not lead to other hosts, asked with Host",
    "hostile: it does not lead to other hosts, asked with a whole URL",
    "hostile: it makes no tunnels (CONNECT)",
    "hostile: no request at all does not end the proxy",
    "hostile: two different Content-Lengths hide no request (extra)",
    "hostile: zeros does not end the proxy",
    "many: 50 clients of one object that is not kept yet are one fetch (extra)",
    "many: a client that leaves in the middle does not stop the others (extra)",
    "many: a client that says nothing does not hold up another",
    "many: a client whose answer takes long does not hold up another",
    "many: while a stale answer is renewed it may be served (stale-while-revalidate) (extra)",
  ]);
});
