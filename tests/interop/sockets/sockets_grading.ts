/** The grading tests tell a good program from a bad one. */
import { assertEquals } from "@std/assert";
import { failuresOf } from "../../support/grading.ts";
import { startPython } from "../../support/python.ts";
import { freePort } from "../../support/tools.ts";

Deno.test("grading 01: the lecture's own servers have all points but those beyond the slides", async () => {
  const port = freePort();
  await using _udp = await startPython("udp_server.py", "127.0.0.1", port);
  await using _tcp = await startPython("tcp_server.py", "127.0.0.1", port);
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
