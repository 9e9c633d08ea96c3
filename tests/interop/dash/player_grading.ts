/** The grading tests of lesson 7 tell a good player from a bad one; both are a student's, in Python. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { failuresOf } from "../../support/grading.ts";

const PLAYER = fromFileUrl(
  new URL("../../testdata/python/dash_player.py", import.meta.url),
);

/** The points that a player which leaves out what `faults` says does not get. */
function missedWithout(faults: string): Promise<readonly string[]> {
  return failuresOf("07_player", {
    ROLECALL_COMMAND: `/usr/bin/python3 ${PLAYER} {url} ${faults}`,
  });
}

Deno.test("grading 07: a player that follows a mean of what it measured has all points", async () => {
  assertEquals(await missedWithout(""), []);
});

Deno.test("grading 07: one that fetches only the highest rate does not fit a narrow link", async () => {
  assertEquals(await missedWithout("rate"), [
    "on a narrow link it begins with a rate that fits",
    "on a narrow link rates fit after 3 segments, but for one in four",
    "when the link becomes narrow, the rate goes down",
  ]);
});

Deno.test("grading 07: one of the lowest rate, without initialization, buffer and a second try, is told each", async () => {
  assertEquals(await missedWithout("lowest,init,buffer,again,end"), [
    "a segment that is not found (404) is asked for again (extra)",
    "a segment whose connection is cut is asked for again (extra)",
    "an initialization segment is fetched before the first segment",
    "each rate's own initialization segment is fetched before its first segment (extra)",
    "nothing is asked for that is not in the title (extra)",
    "on a wide link the highest rate is reached",
    "the buffer has an end: after 6 s no more than 120 s of a title of 5 min are fetched (extra)",
    "when the link becomes narrow, the rate goes down",
  ]);
});

Deno.test("grading 07: one that fetches the lowest rate, backwards and twice is told so", async () => {
  assertEquals(await missedWithout("lowest,order,once"), [
    "no segment is fetched twice, in one rate or in two (extra)",
    "on a wide link the highest rate is reached",
    "segments are fetched in order, from the first on",
    "when the link becomes narrow, the rate goes down",
  ]);
});
