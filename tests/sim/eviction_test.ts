import { assert } from "@std/assert";
import { contest, TRACES } from "../support/cache_contest.ts";

const options = (seed: number) => ({ seed, requests: 60_000 });

for (const seed of [1, 2]) {
  Deno.test(`ByteStore beats LRU by 5 points in the Zipf contest and is within 2.5 of the best static placement, seed ${seed}`, () => {
    const trace = TRACES["equal sizes"]!(options(seed));
    const ours = contest("ours", trace);
    const filling = contest("ours, filling", trace);
    const least = Math.min(ours, filling);
    assert(least >= contest("LRU", trace) + 0.05, `${ours} ${filling}`);
    // From an empty cache; within 2 of it over 200 000 requests (bench/zipf.ts).
    assert(least >= contest("static", trace) - 0.025, `${ours} ${filling}`);
    assert(contest("Belady", trace) >= ours);
  });

  Deno.test(`ByteStore beats LRU with sizes mixed, through scans, and when popularity shifts, seed ${seed}`, () => {
    const leads = {
      "mixed sizes": 0.15,
      scans: 0.05,
      // Every 10 000 requests everything changes; LRU is made for that.
      "shifting popularity": 0.02,
    };
    for (const [name, lead] of Object.entries(leads)) {
      const trace = TRACES[name]!(options(seed));
      const [ours, lru] = [contest("ours", trace), contest("LRU", trace)];
      assert(ours >= lru + lead, `${name}: ${ours}, LRU ${lru}`);
    }
  });

  Deno.test(`ByteStore weighs uses by size: with sizes mixed it is within 3.5 points of the best static placement, seed ${seed}`, () => {
    const trace = TRACES["mixed sizes"]!(options(seed));
    const ours = contest("ours", trace);
    // From an empty cache; within 2 of it over 200 000 requests (bench/zipf.ts).
    const best = contest("static", trace);
    assert(ours >= best - 0.035, `${ours}, static ${best}`);
    // What comes in holds memory meanwhile, a sixteenth of the budget on average.
    const filling = contest("ours, filling", trace);
    assert(filling >= ours - 0.025, `${filling}, without fills ${ours}`);
  });
}
