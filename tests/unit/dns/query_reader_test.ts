import { assert, assertEquals } from "@std/assert";
import { fromHex } from "../../../lib/core/bytes.ts";
import { RCODES } from "../../../lib/dns/codes.ts";
import { decodeMessage } from "../../../lib/dns/message.ts";
import { ASKER, responderFor, ZONE } from "./authority/ask.ts";

const HEAD = "123401000001000000000000";
const QUESTION = "056f7468657204746573740000010001"; // other.test A IN
const QUESTION_OPT = "12340100000100000000000105" + QUESTION.slice(2);
const TWO_OPTS = "12340100000100000000000205" + QUESTION.slice(2);

Deno.test("Responder says FORMERR, NOTIMP or nothing to what is no query", () => {
  for (
    const [what, hex, rcode, bytes] of [
      ["empty", "", undefined, 0],
      ["11 bytes", HEAD.slice(2), undefined, 0],
      ["an answer", "1234" + "8180" + HEAD.slice(8) + QUESTION, undefined, 0],
      ["no question", "123401000000000000000000", 1, 12],
      ["head only", HEAD, 1, 12],
      ["two questions", "123401000002000000000000" + QUESTION, 1, 12],
      ["self pointer", HEAD + "c00c00010001", 1, 12],
      ["pointer past end", HEAD + "c0ff00010001", 1, 12],
      ["label of 64", HEAD + "40" + "61".repeat(64) + "0000010001", 1, 12],
      ["label 0x80", HEAD + "80610000010001", 1, 12],
      [
        "name of 256",
        HEAD + ("3f" + "61".repeat(63)).repeat(4) + "0000010001",
        1,
        12,
      ],
      ["cut off label", HEAD + "0561", 1, 12],
      ["no type", HEAD + "016100", 1, 12],
      ["STATUS", "1234" + "1100" + HEAD.slice(8) + QUESTION, 4, 28],
      ["NOTIFY", "1234" + "2100" + HEAD.slice(8) + QUESTION, 4, 28],
      ["UPDATE", "1234" + "2900" + HEAD.slice(8) + QUESTION, 4, 28],
      ["opcode 15", "1234" + "7900" + HEAD.slice(8) + QUESTION, 4, 28],
      ["DSO", "123430000000000000000000", 4, 12],
      ["record cut off", QUESTION_OPT + "000029", 1, 28],
      ["OPT too short", QUESTION_OPT + "00002904d0000000000004", 1, 28],
      [
        "option overrun",
        QUESTION_OPT + "00002904d000000000000400090009",
        1,
        39,
      ],
      [
        "OPT not of the root",
        QUESTION_OPT + "01610000290" + "4d0000000000000",
        1,
        28,
      ],
      ["two OPTs", TWO_OPTS + "00002904d0000000000000".repeat(2), 1, 39],
      [
        "OPT among the answers",
        "123401000001000100000000" + QUESTION + "00002904d0000000000000",
        1,
        28,
      ],
      ["class HS", HEAD + QUESTION.slice(0, -1) + "4", 5, 28],
      ["trailing bytes", HEAD + QUESTION + "ffff", 5, 28],
      ["class CH", HEAD + QUESTION.slice(0, -1) + "3", 5, 28],
    ] as const
  ) {
    const reply = responderFor([ZONE]).respond(fromHex(hex), ASKER);
    assertEquals([what, reply?.rcode, reply?.bytes.length ?? 0], [
      what,
      rcode,
      bytes,
    ]);
    if (reply !== undefined) decodeMessage(reply.bytes);
  }
});

Deno.test("Responder answers a version of EDNS it does not have with BADVERS", () => {
  const reply = responderFor([ZONE]).respond(
    fromHex(QUESTION_OPT + "00002904d0000100000000"),
    ASKER,
  );
  assert(reply !== undefined);
  const message = decodeMessage(reply.bytes);
  assertEquals(message.rcode, RCODES.BADVERS);
  assertEquals(message.edns?.version, 0);
});

Deno.test("Responder refuses client subnets that RFC 7871 does not allow, and ignores unknown options", () => {
  const option = (hex: string, code = "0008") => {
    const length = (hex.length / 2).toString(16).padStart(4, "0");
    const rdata = code + length + hex;
    const size = (rdata.length / 2).toString(16).padStart(4, "0");
    return QUESTION_OPT + "00002904d000000000" + size + rdata;
  };
  for (
    const [what, hex, rcode] of [
      ["good", option("00011800" + "7f0201"), 5],
      ["family 3", option("00031800" + "7f0201"), 1],
      ["prefix 33", option("00012100" + "7f02010101"), 1],
      ["scope in a query", option("00011818" + "7f0201"), 1],
      ["bits after the prefix", option("00011700" + "7f0201"), 1],
      ["too few bytes", option("00011800" + "7f02"), 1],
      ["too many bytes", option("00011800" + "7f020100"), 1],
      ["3 bytes", option("000118"), 1],
      ["family 0", option("00000000"), 5],
      ["unknown option", option("616263", "fde9"), 5],
    ] as const
  ) {
    const reply = responderFor([ZONE]).respond(fromHex(hex), ASKER);
    assertEquals([what, reply?.rcode], [what, rcode]);
  }
});
