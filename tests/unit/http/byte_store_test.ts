import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { ByteStore } from "../../../lib/http/byte_store.ts";

Deno.test("ByteStore never holds more than its budget, and accounts for every byte", () => {
  const rng = seededRng(5);
  const sizes = new Map<string, number>();
  const store = new ByteStore<number>({
    budgetBytes: 1000,
    evicted: (key) => assert(sizes.delete(key)),
  });
  for (let step = 0; step < 20_000; step++) {
    const key = `k${Math.floor(rng() * 60)}`;
    const dice = rng();
    const size = Math.floor(rng() * 200);
    if (dice < 0.5) store.get(key);
    else if (dice < 0.9) {
      assert(store.set(key, size, size));
      sizes.set(key, size);
    } else if (dice < 0.95) assertEquals(store.delete(key), sizes.delete(key));
    else if (sizes.has(key)) {
      sizes.set(key, size);
      store.resize(key, size);
    }
    const held = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    assertEquals(store.usedBytes, held);
    assertEquals(store.count, sizes.size);
    assert(store.usedBytes <= 1000);
  }
  assert(store.evictions > 0);
});

Deno.test("ByteStore keeps what many want while a long scan goes through", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  const wanted = ["a", "b", "c", "d", "e"];
  for (const key of wanted) store.set(key, key, 10);
  for (let segment = 0; segment < 1000; segment++) {
    for (const key of wanted) store.get(key);
    store.set(`scan${segment}`, "", 10);
  }
  for (const key of wanted) assertEquals(store.get(key), key);
});

Deno.test("ByteStore takes back into its main part what left too early", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  for (let n = 0; n < 11; n++) store.set(`k${n}`, "", 10);
  assertEquals(store.get("k0"), undefined);
  store.set("k0", "again", 10);
  for (let n = 100; n < 130; n++) store.set(`k${n}`, "", 10);
  assertEquals(store.get("k0"), "again");
});

Deno.test("ByteStore refuses what is larger than all of it", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  store.set("a", "a", 50);
  assertEquals(store.set("b", "b", 101), false);
  assertEquals(store.get("a"), "a");
  assertEquals(store.resize("a", 101), false);
  assertEquals(store.count, 0);
});
