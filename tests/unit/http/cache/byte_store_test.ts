import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import { ByteStore } from "../../../../lib/http/cache/byte_store.ts";

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
    else if (dice < 0.95) {
      sizes.set(key, size);
      const isPinned = dice < 0.55;
      if (!store.set(key, size, { sizeBytes: size, isPinned })) {
        sizes.delete(key);
      }
    } else assertEquals(store.delete(key), sizes.delete(key));
    const held = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    assertEquals(store.usedBytes, held);
    assertEquals(store.count, sizes.size);
    assert(store.usedBytes <= 1000);
  }
  assert(store.evictions > 0);
});

const ten = { sizeBytes: 10 };

Deno.test("ByteStore keeps what many want while a long scan goes through", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  const wanted = ["a", "b", "c", "d", "e"];
  for (const key of wanted) store.set(key, key, ten);
  for (let segment = 0; segment < 1000; segment++) {
    for (const key of wanted) store.get(key);
    store.set(`scan${segment}`, "", ten);
  }
  for (const key of wanted) assertEquals(store.get(key), key);
});

Deno.test("ByteStore holds the newest until the next comes, and lets it stay when it comes back more often than others", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  for (let n = 0; n < 10; n++) store.set(`k${n}`, "", ten);
  for (let round = 0; round < 2; round++) {
    store.set("new", "new", ten);
    assertEquals(store.get("new"), "new");
    store.set(`other${round}`, "", ten);
  }
  assertEquals(store.get("new"), "new");
});

Deno.test("ByteStore forgets the favourites of yesterday", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  const ask = (key: string) => store.get(key) ?? store.set(key, key, ten);
  const days = ["old", "new"].map((day) =>
    Array.from({ length: 9 }, (_, n) => `${day}${n}`)
  );
  for (const keys of days) {
    for (let round = 0; round < 200; round++) keys.forEach(ask);
  }
  const held = days[1]!.filter((key) => store.get(key) !== undefined);
  assert(held.length >= 8, held.join());
});

Deno.test("ByteStore lets nothing go that is pinned, until it is not", () => {
  const gone: string[] = [];
  const store = new ByteStore<string>({
    budgetBytes: 100,
    evicted: (key) => gone.push(key),
  });
  const pinned = { sizeBytes: 30, isPinned: true };
  for (const key of ["a", "b", "c"]) assert(store.set(key, key, pinned));
  for (let n = 0; n < 50; n++) store.set(`k${n}`, "", ten);
  assertEquals(["a", "b", "c"].map((key) => store.get(key)), ["a", "b", "c"]);
  // There is no room for one more, nor for one of them to grow.
  assertEquals(store.set("d", "d", pinned), false);
  assertEquals(store.set("c", "c", { ...pinned, sizeBytes: 41 }), false);
  assertEquals(store.get("c"), undefined);
  for (const key of ["a", "b"]) store.set(key, key, { sizeBytes: 30 });
  for (let n = 0; n < 50; n++) {
    store.set(`fill${n}`, "", { sizeBytes: 45, isPinned: true });
    store.set(`fill${n}`, "", { sizeBytes: 45 });
  }
  assert(gone.includes("a") || gone.includes("b"), gone.join());
});

Deno.test("ByteStore does not give what was used much for something large that was used less than all it would displace", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  const small = Array.from({ length: 9 }, (_, n) => `small${n}`);
  for (const key of small) store.set(key, key, ten);
  for (const key of small) store.get(key);
  // Twice used, as each of them, but it would take the place of five.
  store.set("large", "", { sizeBytes: 50 });
  store.get("large");
  store.set("last", "", ten);
  assertEquals(store.get("large"), undefined);
  const held = small.filter((key) => store.get(key) !== undefined);
  assert(held.length >= 4, held.join());
});

Deno.test("ByteStore gives something large the place of several that were used clearly less for their size, and of no others", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  const ask = (key: string, sizeBytes: number) =>
    store.get(key) !== undefined || store.set(key, key, { sizeBytes });
  for (let n = 0; n < 10; n++) {
    for (let uses = 0; uses < 4; uses++) ask(`small${n}`, 10);
  }
  // From here on everything has to prove itself: a small one had to go for it.
  for (let uses = 1; uses <= 25; uses++) {
    // 20 to 25 uses of 50 bytes are as many as 4 to 5 of 10.
    assertEquals(ask("large", 50), false, `${uses}`);
  }
  ask("large", 50);
  assert(ask("large", 50));
  assertEquals(store.count, 5);
});

Deno.test("ByteStore refuses what is larger than all of it", () => {
  const store = new ByteStore<string>({ budgetBytes: 100 });
  store.set("a", "a", { sizeBytes: 50 });
  assertEquals(store.set("b", "b", { sizeBytes: 101 }), false);
  assertEquals(store.get("a"), "a");
  assertEquals(store.set("a", "a", { sizeBytes: 101 }), false);
  assertEquals(store.count, 0);
});
