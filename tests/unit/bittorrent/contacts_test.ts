import { assertEquals } from "@std/assert";
import { Contacts } from "../../../lib/bittorrent/contacts.ts";

/** When a peer that always fails is tried, in seconds. */
function triesOf(source: "tracker" | "user", untilMs: number): number[] {
  const contacts = new Contacts();
  contacts.add([{ host: "10.0.0.1", port: 1 }], source, 0);
  const tries: number[] = [];
  let links = 0;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1000) {
    for (const { link } of contacts.due(nowMs, 10, () => ++links)) {
      tries.push(nowMs / 1000);
      contacts.closed(link, "soon", nowMs);
    }
  }
  return tries;
}

Deno.test("Contacts tries a user's peer after 2, 4, 8 … 30 s for ever, a tracker's five times", () => {
  assertEquals(triesOf("user", 100_000), [0, 2, 6, 14, 30, 60, 90]);
  assertEquals(triesOf("tracker", 1_000_000), [0, 15, 45, 105, 225]);
});

Deno.test("Contacts keeps to the room there is, to one link for each peer, and to never", () => {
  const contacts = new Contacts();
  const peers = [1, 2, 3].map((port) => ({ host: "10.0.0.1", port }));
  contacts.add([...peers, ...peers], "tracker", 0);
  let links = 0;
  const due = (nowMs: number, room: number) =>
    contacts.due(nowMs, room, () => ++links).map(({ to }) => to.port);
  assertEquals(due(0, 2), [1, 2]);
  assertEquals(due(0, 0), []);
  assertEquals(due(0, 9), [3]);
  contacts.succeeded(1);
  contacts.closed(1, "never", 0);
  contacts.closed(2, "later", 0);
  assertEquals(due(59_000, 9), []);
  assertEquals(due(60_000, 9), [2]);
  assertEquals(due(1e9, 9), []);
});
