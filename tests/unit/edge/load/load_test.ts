import { assertEquals } from "@std/assert";
import { elsewhere } from "../../../../roles/edge/load/load.ts";
import { loadResult } from "../../../../roles/edge/load/result.ts";

Deno.test("loadResult compares with the origin only what was answered: failures take no time", () => {
  const run = (failed: number, durationMs: number) => ({
    ...{ name: "edge", requests: 10, failed, hits: 0, bytes: 10 },
    ...{ durationMs, tookMs: [1] },
    lastFailure: failed === 0 ? undefined : "No connection",
  });
  const said = (edgeFailed: number, originFailed: number) =>
    loadResult([run(edgeFailed, 100), run(originFailed, 200)], {
      ...{ url: "http://e/{n}", objects: 5, asked: 5, zipf: 1 },
    }).text.split("\n").at(-1);
  assertEquals(said(0, 0), "2.00 times as fast as the origin alone");
  for (const [edge, origin] of [[1, 0], [0, 10]] as const) {
    assertEquals(
      said(edge, origin),
      "Not to be compared: an answer that failed takes no time to speak of",
    );
  }
});

Deno.test("loadResult says of each server how many failed, and why the last did", () => {
  const run = (name: string, failed: number) => ({
    ...{ name, requests: 10, failed, hits: 0, bytes: 10, durationMs: 9 },
    ...{ tookMs: [1], lastFailure: failed === 0 ? undefined : `No ${name}` },
  });
  const about = { url: "http://e/{n}", objects: 5, asked: 5, zipf: 1 };
  const { text } = loadResult([run("edge", 0), run("origin", 2)], about);
  assertEquals(
    text.split("\n").filter((line) => line.includes("failed;")),
    ["origin: 2 requests failed; the last: No origin"],
  );
  assertEquals(
    loadResult([run("edge", 1)], about).text.split("\n").at(-1),
    "edge: 1 request failed; the last: No edge",
  );
});

Deno.test("elsewhere is the same object on another server, on that one's port and below its path", () => {
  for (
    const [url, server, wanted] of [
      // A port that goes without saying is not that of the edge.
      ["http://e:8081/a/1.m4s", "http://o/", "http://o/a/1.m4s"],
      ["http://e:8081/1.m4s?x=%20", "https://o", "https://o/1.m4s?x=%20"],
      ["http://e/1.m4s", "http://o:8080/films/", "http://o:8080/films/1.m4s"],
      ["http://e/1.m4s", "http://[::1]:80", "http://[::1]/1.m4s"],
    ] as const
  ) assertEquals(elsewhere(url, server), wanted);
});
