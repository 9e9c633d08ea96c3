import type { AbrRule } from "./rule.ts";

/** No adaptation: HTTP video streaming as it was, the other column of the slide's comparison. */
export const fixed: AbrRule = {
  summary: "always the rung of --quality, as before adaptive streaming",
  source: 'slide "Comparison of HTTP video streaming and HTTP adaptive video"',
  start: () => ({
    decide: ({ ladder, fixedIndex }) => ({
      index: Math.min(fixedIndex, ladder.length - 1),
      waitMs: 0,
      reason: "fixed",
    }),
  }),
};
