import { assert, assertEquals } from "@std/assert";
import { parseAddress } from "../../../../lib/core/address.ts";
import { parseMasterFile } from "../../../../lib/dns/authority/master_file.ts";
import { Responder } from "../../../../lib/dns/authority/responder.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { transferMessages } from "../../../../lib/dns/authority/zone_transfer.ts";
import { RCODES, RECORD_TYPES } from "../../../../lib/dns/codes.ts";
import { decodeMessage, encodeMessage } from "../../../../lib/dns/message.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import { encodeQuery } from "../../../../lib/dns/stub_query.ts";
import { ASKER, lines, ZONE } from "./ask.ts";

const TRUSTED = parseAddress("10.9.9.9");

function query(name: string, type: "AXFR" | "IXFR" | "SOA") {
  return encodeQuery({
    id: 77,
    name: parseName(name),
    type: RECORD_TYPES[type],
  });
}

function responderOf(table: ZoneTable): Responder {
  return new Responder(table, {
    rng: () => 0,
    transferVerdict: (address) =>
      address === TRUSTED ? RCODES.NOERROR : RCODES.REFUSED,
  });
}

Deno.test("transferMessages sends all records between two SOAs, delegations and every edge among them", () => {
  const below = `$ORIGIN sub.kingcdn.example.
$TTL 60
@ SOA ns h 7 1d 2h 4w 30
@ NS ns
ns A 127.0.0.11
`;
  const table = new ZoneTable(
    [ZONE, below].flatMap((text) => parseMasterFile(text)),
  );
  const zone = table.zones.find(({ serial }) => serial === 1);
  assert(zone !== undefined);
  const asked = query("kingcdn.example", "AXFR");
  const messages = [...transferMessages(table, zone, asked)].map(decodeMessage);
  const [first] = messages;
  assert(first?.authoritative && first.id === 77);
  assertEquals(first.questions.length, 1);
  const sent = messages.flatMap(({ answers }) => answers);
  const soa = lines([zone.soa])[0]!;
  assertEquals([lines(sent)[0], lines(sent).at(-1)], [soa, soa]);
  const given = parseMasterFile(ZONE)[0]!.records.map((record) => ({
    ...record,
    class: 1,
  }));
  assertEquals(
    lines(sent.slice(0, -1)).sort(),
    lines(given).sort(),
  );
});

Deno.test("transferMessages cuts a large zone into messages that say the question once", () => {
  const many = Array.from(
    { length: 3000 },
    (_, index) => `n${index} TXT "${"x".repeat(index % 200)}"`,
  ).join("\n");
  const table = new ZoneTable(parseMasterFile(`${ZONE}\n${many}`));
  const asked = query("kingcdn.example", "AXFR");
  const bytes = [...transferMessages(table, table.zones[0]!, asked)];
  assert(bytes.length > 10);
  assert(bytes.every(({ length }) => length <= 16_384 + 11));
  const messages = bytes.map(decodeMessage);
  assertEquals(
    messages.map(({ questions }) => questions.length),
    messages.map((_, index) => index === 0 ? 1 : 0),
  );
  const names = messages.flatMap(({ answers }) => answers);
  assertEquals(names.filter(({ type }) => type === 16).length, 3001);
});

Deno.test("transferMessages tells who has the serial, or a newer one, the SOA alone (RFC 1995 §2)", () => {
  const table = new ZoneTable(parseMasterFile(ZONE));
  const zone = table.zones[0]!;
  for (
    const [serial, whole] of [[0, true], [1, false], [2, false], [
      0x90000000,
      true,
    ]] as const
  ) {
    const rdata = zone.soa.rdata.slice();
    new DataView(rdata.buffer).setUint32(rdata.length - 20, serial);
    const asked = encodeMessage({
      ...decodeMessage(query("kingcdn.example", "IXFR")),
      authorities: [{ ...zone.soa, rdata }],
    });
    const [message] = [...transferMessages(table, zone, asked)];
    const { answers } = decodeMessage(message!);
    assertEquals([serial, answers.length > 1], [serial, whole]);
  }
});

Deno.test("Responder transfers a zone over TCP to who may have it, and says why not to others", () => {
  const responder = responderOf(new ZoneTable(parseMasterFile(ZONE)));
  for (
    const [name, type, transport, trusted, rcode, isTransfer] of [
      ["kingcdn.example", "AXFR", "tcp", true, 0, true],
      ["KINGCDN.example", "IXFR", "tcp", true, 0, true],
      ["kingcdn.example", "AXFR", "tcp", false, 5, false],
      ["www.kingcdn.example", "AXFR", "tcp", true, 9, false],
      ["elsewhere.example", "AXFR", "tcp", true, 9, false],
      ["kingcdn.example", "AXFR", "udp", true, 4, false],
      ["kingcdn.example", "IXFR", "udp", true, 0, false],
      ["kingcdn.example", "IXFR", "udp", false, 5, false],
    ] as const
  ) {
    const reply = responder.respond(query(name, type), {
      ...ASKER,
      transport,
      ...(trusted ? { address: TRUSTED } : {}),
    });
    assertEquals(
      [name, type, reply?.rcode, reply?.transfer !== undefined],
      [name, type, rcode, isTransfer],
    );
  }
});
