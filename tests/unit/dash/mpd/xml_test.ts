import { assertEquals, assertThrows } from "@std/assert";
import { MpdError, parseXml } from "../../../../lib/dash/mpd/xml.ts";

function problemOf(text: string): readonly [string, number] {
  const error = assertThrows(() => parseXml(text), MpdError);
  return [error.code, error.line];
}

Deno.test("parseXml gives names, attributes, text and lines", () => {
  const root = parseXml(
    '\uFEFF<?xml version="1.0"?>\n<!-- c -->\n<d:MPD xmlns:d="u" a="1&amp;2">\n' +
      "  <BaseURL>\n x<![CDATA[&y]]> </BaseURL><S\n t='3'/></d:MPD>",
  );
  assertEquals(root.name, "MPD");
  assertEquals(root.attributes.get("a"), "1&2");
  assertEquals(root.line, 3);
  const [base, s] = root.children;
  assertEquals([base?.name, base?.text, base?.line], ["BaseURL", "x&y", 4]);
  assertEquals([s?.name, s?.attributes.get("t"), s?.line], ["S", "3", 5]);
});

Deno.test("parseXml names the line of what is no XML", () => {
  assertEquals(problemOf(""), ["not-xml", 1]);
  assertEquals(problemOf("404 page not found"), ["not-xml", 1]);
  assertEquals(problemOf("<MPD>\n<Period>\n</MPD>"), ["not-xml", 3]);
  assertEquals(problemOf("<MPD>\n<Period a=b/>\n</MPD>"), ["not-xml", 2]);
  assertEquals(problemOf("<MPD>\n&nbsp;</MPD>"), ["not-xml", 2]);
  assertEquals(problemOf("<MPD><Period>"), ["not-xml", 1]);
});

Deno.test("parseXml refuses entity bombs and external entities before reading them", () => {
  const bomb = '<?xml version="1.0"?>\n<!DOCTYPE lolz [\n' +
    '<!ENTITY lol "lol">\n<!ENTITY lol2 "&lol;&lol;&lol;">\n]>\n<MPD>&lol2;</MPD>';
  assertEquals(problemOf(bomb)[0], "doctype");
  const external =
    '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/passwd">]><MPD>&x;</MPD>';
  assertEquals(problemOf(external)[0], "doctype");
});

Deno.test("parseXml bounds depth and the number of elements", () => {
  assertEquals(
    problemOf("<a>".repeat(65) + "</a>".repeat(65))[0],
    "too-large",
  );
  parseXml("<a>".repeat(64) + "</a>".repeat(64));
  assertEquals(problemOf(`<a>${"<b/>".repeat(400_000)}</a>`)[0], "too-large");
});

Deno.test("parseXml throws nothing but MpdError on damaged documents", () => {
  const good =
    '<MPD type="static"><!-- x --><Period><![CDATA[q]]></Period>&lt;</MPD>';
  const damage = ["<", ">", "&", '"', "\0", "]]>", "<!", "\uD800", ""];
  for (let at = 0; at <= good.length; at++) {
    for (const piece of damage) {
      const text = good.slice(0, at) + piece + good.slice(at + 1);
      try {
        parseXml(text);
      } catch (error) {
        if (!(error instanceof MpdError)) throw error;
      }
    }
  }
});
