import { assert, assertEquals } from "@std/assert";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import { countedSignal } from "../../support/counted_signal.ts";

Deno.test("LinkedAbort aborts with each of its parents, for the parent's reason", () => {
  for (const index of [0, 1]) {
    const parents = [new AbortController(), new AbortController()];
    const linked = new LinkedAbort(...parents.map(({ signal }) => signal));
    let heard = 0;
    linked.signal.addEventListener("abort", () => heard += 1);
    parents[index]!.abort("the end");
    assertEquals(linked.signal.reason, "the end");
    parents[1 - index]!.abort("too late");
    assertEquals(linked.signal.reason, "the end");
    assertEquals(heard, 1);
  }
});

Deno.test("LinkedAbort of a parent that has aborted is aborted, and listens to nobody", () => {
  const other = countedSignal();
  const linked = new LinkedAbort(undefined, other.signal, AbortSignal.abort(7));
  assertEquals(linked.signal.reason, 7);
  assertEquals(other.listeners(), 0);
});

Deno.test("LinkedAbort aborts alone, and lets go of its parents then", () => {
  const parent = countedSignal();
  const linked = new LinkedAbort(parent.signal);
  assertEquals(parent.listeners(), 1);
  linked.abort("enough");
  assertEquals(linked.signal.reason, "enough");
  assert(!parent.signal.aborted);
  assertEquals(parent.listeners(), 0);
});

Deno.test("LinkedAbort that is disposed of lets go of its parents, and does not abort with them", () => {
  const parent = countedSignal();
  const linked = new LinkedAbort(parent.signal);
  linked[Symbol.dispose]();
  assertEquals(parent.listeners(), 0);
  parent.controller.abort();
  assert(!linked.signal.aborted);
});
