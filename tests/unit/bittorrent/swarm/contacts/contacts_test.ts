import { assertEquals } from "@std/assert";
import {
  Contacts,
  type ContactSource,
} from "../../../../../lib/bittorrent/swarm/contacts/contacts.ts";

/** When a peer that always fails is tried, in seconds. */
function triesOf(source: ContactSource, untilMs: number): number[] {
  const contacts = new Contacts();
  contacts.add([{ host: "10.0.0.1", port: 1 }], source, 0);
  const tries: number[] = [];
  let links = 0;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1000) {
    for (
      const { link } of contacts.due({
        nowMs,
        room: 10,
        newLink: () => ++links,
        rank: () => 0,
      })
    ) {
      tries.push(nowMs / 1000);
      contacts.closed(link, "soon", nowMs);
    }
  }
  return tries;
}

Deno.test("Contacts tries a user's peer after 2, 4, 8 … 30 s for ever, a tracker's five times, another peer's twice", () => {
  assertEquals(triesOf("user", 100_000), [0, 2, 6, 14, 30, 60, 90]);
  assertEquals(triesOf("tracker", 1_000_000), [0, 15, 45, 105, 225]);
  assertEquals(triesOf("pex", 1_000_000), [0, 15]);
});

Deno.test("Contacts keeps to the room there is, to one link for each peer, and to never", () => {
  const contacts = new Contacts();
  const peers = [1, 2, 3].map((port) => ({ host: "10.0.0.1", port }));
  contacts.add([...peers, ...peers], "tracker", 0);
  let links = 0;
  const due = (nowMs: number, room: number) =>
    contacts.due({ nowMs, room, newLink: () => ++links, rank: () => 0 }).map((
      { to },
    ) => to.port);
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

Deno.test("Contacts prefers the highest rank when there is not room for all", () => {
  const contacts = new Contacts();
  const ports = [3, 9, 1, 7];
  contacts.add(
    ports.map((port) => ({ host: "10.0.0.1", port })),
    "tracker",
    0,
  );
  let links = 0;
  const due = (room: number) =>
    contacts.due({
      nowMs: 0,
      room,
      newLink: () => ++links,
      rank: ({ port }) => port,
    }).map(({ to }) => to.port);
  assertEquals([due(1), due(2), due(9)], [[9], [7, 3], [1]]);
});

Deno.test("Contacts bounds what other peers name, and forgets what they say is gone", () => {
  const contacts = new Contacts();
  const named = (host: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ host, port: at + 1 }));
  const due = () =>
    contacts.due({
      nowMs: 0,
      room: 10_000,
      newLink: () => ++links,
      rank: () => 0,
    }).length;
  let links = 0;
  contacts.add(named("10.0.0.1", 100), "pex", 0);
  assertEquals(due(), 4);
  contacts.add(named("127.0.0.1", 10_000), "pex", 0);
  contacts.lost([{ host: "127.0.0.1", port: 5 }]);
  assertEquals(due(), 995);
  contacts.add(named("10.0.0.2", 5000), "tracker", 0);
  contacts.lost([{ host: "10.0.0.2", port: 1 }]);
  assertEquals(due(), 1001);
});
