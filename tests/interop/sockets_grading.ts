/** The grading tests tell a good program from a bad one. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { failuresOf } from "../support/grading.ts";
import { freePort, startTool } from "../support/tools.ts";

function python(file: string, port: number): AsyncDisposable {
  const path = new URL(`../testdata/python/${file}`, import.meta.url);
  return startTool([
    ...["/usr/bin/python3", fromFileUrl(path), "127.0.0.1", `${port}`],
  ]);
}

Deno.test("grading 01: the lecture's own servers have all points but those beyond the slides", async () => {
  const port = freePort();
  await using _udp = python("udp_server.py", port);
  await using _tcp = python("tcp_server.py", port);
  await new Promise((wake) => setTimeout(wake, 1000));
  const failed = await failuresOf("01_sockets", {
    ROLECALL_TARGET: `127.0.0.1:${port}`,
  });
  assertEquals(failed, [
    "tcp: a letter that comes in two pieces is one letter (extra)",
    "tcp: several lines in one connection, each answered (extra)",
    "tcp: two clients are served at once: one that waits does not hold up the other (extra)",
    "udp: bytes that are no text do not end the server (extra)",
  ]);
});
