import { assertEquals } from "@std/assert";
import { Fields } from "../../../../lib/http/fields.ts";
import { forgetIn } from "../../../../roles/edge/front/purge.ts";

Deno.test("forgetIn forgets by each of a response's tags, however many it has", () => {
  const tags = Array.from({ length: 1000 }, (_, at) => `t${at}`);
  const fields = new Fields([["surrogate-key", tags.join(" ")]]);
  const tiers = {
    forgetAll: () => 0,
    forgetWhere: (
      matches: (entry: { key: string; fields: Fields }) => boolean,
    ) => Number(matches({ key: "/", fields })),
  };
  const purged = (what: string) => forgetIn(tiers, { kind: "tag", what });
  assertEquals(
    ["t0", "t999", "x,t300", "t1000"].map(purged),
    [1, 1, 1, 0],
  );
});
