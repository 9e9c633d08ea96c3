import { assertEquals } from "@std/assert";
import { BlockLists } from "../../../../../lib/bittorrent/tracker/table/_block_lists.ts";
import { seededRng } from "../../../../../lib/core/rng.ts";

Deno.test("BlockLists agrees with arrays while lists grow, shrink and end (seed 83)", () => {
  const rng = seededRng(83);
  const lists = new BlockLists();
  const model = new Map<number, number[]>();
  for (let round = 0; round < 40_000; round++) {
    const list = Math.floor(rng() ** 3 * 300);
    const numbers = model.get(list) ?? [];
    model.set(list, numbers);
    assertEquals(lists.length(list), numbers.length);
    const grows = rng() < (round < 20_000 ? 0.7 : 0.4);
    if (grows) {
      const value = Math.floor(rng() * 2 ** 32);
      lists.push(list, value);
      numbers.push(value);
    } else if (numbers.length > 0) {
      assertEquals(lists.pop(list), numbers.pop());
    }
  }
  for (const [list, numbers] of model) {
    const kept = numbers.map((_, index) => lists.at(list, index));
    assertEquals(kept, numbers);
  }
  assertEquals(lists.length(1_000_000), 0);
});
