import { assertEquals } from "@std/assert";
import { elsewhere } from "../../../../roles/edge/load/load.ts";

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
