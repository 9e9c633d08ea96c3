import { assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import {
  instanceName,
  labelOf,
  nextLabel,
  ownRecords,
  readPlace,
  readTexts,
  SERVICE_TYPE,
} from "../../../../lib/dns/mdns/service.ts";
import { formatName, parseName } from "../../../../lib/dns/name.ts";
import { serviceOf } from "./_link.ts";

Deno.test("mdns: any text is a label, cut at 63 bytes and never inside a character", () => {
  for (const label of ["edge@lab-3", "Ms. Jones' edge (2)", "Straße 7", "x"]) {
    assertEquals(labelOf(instanceName(label)), label);
  }
  assertEquals(labelOf(instanceName("ä".repeat(40))), "ä".repeat(31));
  assertEquals(labelOf(instanceName("a".repeat(80))), "a".repeat(63));
});

Deno.test("mdns: names of other types are no instances of ours", () => {
  for (
    const name of [
      SERVICE_TYPE,
      parseName("a.b._rolecall._tcp.local."),
      parseName("a._http._tcp.local."),
      parseName("local."),
      parseName("."),
    ]
  ) assertEquals(labelOf(name), undefined, formatName(name));
});

Deno.test("mdns: a label that is taken gets a number, or the next one", () => {
  assertEquals(nextLabel("edge"), "edge (2)");
  assertEquals(nextLabel("edge (2)"), "edge (3)");
  assertEquals(nextLabel("edge (9)"), "edge (10)");
  assertEquals(nextLabel("a (b)"), "a (b) (2)");
  const long = nextLabel("é".repeat(40));
  assertEquals(utf8(long).length <= 63, true);
  assertEquals(long.endsWith(" (2)"), true);
});

Deno.test("mdns: what an instance says of itself is read as it was written", () => {
  const [place, texts] = ownRecords(serviceOf("edge", "host-7"));
  const { port, host } = readPlace(place!.rdata);
  assertEquals([port, formatName(host)], [8080, "host-7.local."]);
  assertEquals(
    [...readTexts(texts!.rdata)],
    [["role", "edge"], ["name", "edge"]],
  );
});

Deno.test("mdns: of strings without a key or with a known one, the first counts (RFC 6763 §6.4)", () => {
  const strings = ["=x", "alone", "A=1", "a=2", "b=", "c=d=e"];
  const rdata = strings.flatMap((text) => [text.length, ...utf8(text)]);
  assertEquals(
    [...readTexts(Uint8Array.from(rdata))],
    [["a", "1"], ["b", ""], ["c", "d=e"]],
  );
  assertEquals([...readTexts(Uint8Array.of(0))], []);
  assertEquals([...readTexts(Uint8Array.of(200, 65))], []);
});
