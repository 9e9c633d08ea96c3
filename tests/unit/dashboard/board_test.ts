import { assertEquals } from "@std/assert";
import { Board, type ShownEvent } from "../../../roles/dashboard/board.ts";

function event(source: string, at: number): ShownEvent {
  return {
    ...{ source, atMs: at, type: "a.b", level: "info", label: "" },
    ...{ text: `event ${at}`, fields: {} },
  };
}

Deno.test("Board tells what is new, once, and a new page all of it", () => {
  const board = new Board();
  assertEquals(board.news(0), []);
  board.set("edge", { role: "edge", name: "west", state: "live" });
  board.take(event("edge", 1));
  const source = {
    ...{ id: "edge", role: "edge", name: "west", where: "", state: "live" },
    ...{ reason: "", events: 1 },
  };
  const news = [
    { kind: "sources", sources: [source] },
    { kind: "events", events: [event("edge", 1)], omitted: 0 },
  ];
  assertEquals(board.news(0), news as never);
  assertEquals(board.news(0), []);
  assertEquals(board.all(), news as never);
});

Deno.test("Board counts events that are more than a page can show, and keeps the latest 500 of the others", () => {
  const board = new Board();
  board.set("edge", {});
  for (let at = 0; at < 700; at++) board.take(event("edge", at));
  const [, told] = board.news(0);
  assertEquals(
    told?.kind === "events" && [told.events.length, told.omitted],
    [200, 500],
  );
  for (let round = 1; round < 4; round++) {
    for (let at = 0; at < 200; at++) {
      board.take(event("edge", 1000 * round + at));
    }
    board.news(0);
  }
  const [, all] = board.all();
  assertEquals(
    all?.kind === "events" && [all.events.length, all.events[0]?.atMs],
    [500, 1100],
  );
  assertEquals(board.sources[0]?.events, 1300);
});

Deno.test("Board tells of each role what it does, whoever floods it", () => {
  const board = new Board();
  const flood = (from: number) => {
    for (let at = from; at < from + 1000; at++) board.take(event("loud", at));
  };
  const others = Array.from({ length: 30 }, (_, at) => `edge ${at}`);
  for (const id of ["loud", ...others]) board.set(id, {});
  flood(0);
  for (const at of Array(90).keys()) {
    board.take(event(others[at % 30]!, 5000 + at));
  }
  flood(8000);
  const [, told] = board.news(0);
  if (told?.kind !== "events") throw new Error("no events");
  const count = (id: string) =>
    told.events.filter(({ source }) => source === id).length;
  assertEquals(new Set(others.map(count)), new Set([3]));
  assertEquals([count("loud"), told.omitted], [110, 1890]);
  const times = told.events.map(({ atMs }) => atMs);
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test("Board tells a page that comes between two rounds of each event once", () => {
  const board = new Board();
  board.set("edge", {});
  board.take(event("edge", 1));
  const told = [...board.all(), ...board.news(0)].flatMap((message) =>
    message.kind === "events" ? message.events : []
  );
  assertEquals(told, [event("edge", 1)]);
});

Deno.test("Board passes over events of nobody, and has 200 places: who has gone makes room", () => {
  const board = new Board();
  board.take(event("nobody", 1));
  for (let at = 0; at < 250; at++) board.set(`role ${at}`, {});
  assertEquals([board.size, board.hasRoom], [200, false]);
  board.leave("role 7", 0);
  assertEquals(board.hasRoom, true);
  board.set("late", {});
  assertEquals(board.size, 200);
  assertEquals(board.sources.some(({ id }) => id === "role 7"), false);
  assertEquals(board.sources.at(-1)?.id, "late");
});

Deno.test("Board shows who has gone for a minute, unless it comes back", () => {
  const board = new Board();
  for (const id of ["a", "b"]) board.set(id, { state: "live" });
  board.leave("a", 1000);
  board.leave("b", 1000);
  board.leave("never here", 1000);
  board.news(60_000);
  assertEquals(board.sources.map(({ state }) => state), ["gone", "gone"]);
  board.set("b", { state: "live", reason: "" });
  assertEquals(board.news(61_000).length, 1);
  assertEquals(board.sources.map(({ id }) => id), ["b"]);
});
