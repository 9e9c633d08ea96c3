import { assertEquals, assertThrows } from "@std/assert";
import { expandTemplate } from "../../../../lib/dash/mpd/template.ts";

const VALUES = {
  representationId: "v$720",
  bitsPerSecond: 2_500_000,
  number: 7,
  time: 17_000_000_000_000_000n,
};

const GOOD: readonly [string, string][] = [
  ["seg_$Number$.m4s", "seg_7.m4s"],
  ["seg_$Number%05d$.m4s", "seg_00007.m4s"],
  ["$RepresentationID$/$Bandwidth$/$Number%01d$", "v$720/2500000/7"],
  ["t$Time$.m4s", "t17000000000000000.m4s"],
  ["$$$Number$$$", "$7$"],
  ["$Number$-$Number%03d$", "7-007"],
  ["plain.m4s", "plain.m4s"],
];

const BAD = [
  "$number$.m4s",
  "$Number.m4s",
  "a$",
  "$Number%5d$",
  "$Number%0999d$",
  "$Number%05x$",
  "$RepresentationID%05d$",
  "$SubNumber$",
];

for (const [template, expected] of GOOD) {
  Deno.test(`expandTemplate fills in ${template}`, () => {
    assertEquals(expandTemplate(template, VALUES), expected);
  });
}

for (const template of BAD) {
  Deno.test(`expandTemplate refuses ${template}`, () => {
    assertThrows(() => expandTemplate(template, VALUES), SyntaxError);
  });
}

Deno.test("expandTemplate refuses $Number$ where there is none", () => {
  const { representationId, bitsPerSecond } = VALUES;
  assertThrows(
    () => expandTemplate("$Number$", { representationId, bitsPerSecond }),
    SyntaxError,
  );
});
