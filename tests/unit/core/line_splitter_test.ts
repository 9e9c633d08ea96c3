import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import {
  LineSplitter,
  wholeCharactersLength,
} from "../../../lib/core/line_splitter.ts";
import { seededRng } from "../../../lib/core/rng.ts";

const TEXT = "hello\r\nγειά σου\n\nstraße 🎉\nno end 🎉";

function texts(lines: readonly Uint8Array[]): string[] {
  return lines.map(fromUtf8);
}

Deno.test("LineSplitter gives each line with its own newline", () => {
  const splitter = new LineSplitter({ maxBytes: 100 });
  assertEquals(texts(splitter.push(utf8(TEXT))), [
    "hello\r\n",
    "γειά σου\n",
    "\n",
    "straße 🎉\n",
  ]);
  assertEquals(splitter.waitingBytes, utf8("no end 🎉").length);
  assertEquals(fromUtf8(splitter.end()), "no end 🎉");
  assertEquals(splitter.waitingBytes, 0);
});

Deno.test("LineSplitter gives the same lines however the stream was split", () => {
  const bytes = utf8(TEXT);
  const whole = new LineSplitter({ maxBytes: 100 });
  const expected = [...texts(whole.push(bytes)), fromUtf8(whole.end())];
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 3) {
      const splitter = new LineSplitter({ maxBytes: 100 });
      const lines = [
        ...splitter.push(bytes.subarray(0, first)),
        ...splitter.push(bytes.subarray(first, second)),
        ...splitter.push(bytes.subarray(second)),
        splitter.end(),
      ];
      assertEquals(texts(lines), expected, `split at ${first} and ${second}`);
    }
  }
});

Deno.test("LineSplitter.pushJoined gives the bytes of push, however the stream was split", () => {
  const bytes = utf8(`${TEXT}\n${"aά".repeat(20)}\nend`);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 3) {
      const [one, joined] = [
        new LineSplitter({ maxBytes: 16 }),
        new LineSplitter({ maxBytes: 16 }),
      ];
      for (const [from, to] of [[0, first], [first, second], [second]]) {
        const read = bytes.subarray(from, to);
        assertEquals(joined.pushJoined(read), concat(...one.push(read)));
        assertEquals(joined.waitingBytes, one.waitingBytes);
      }
      assertEquals(joined.end(), one.end());
    }
  }
});

Deno.test("LineSplitter gives the same lines one byte at a time", () => {
  const splitter = new LineSplitter({ maxBytes: 100 });
  const lines: Uint8Array[] = [];
  for (const byte of utf8(TEXT)) {
    lines.push(...splitter.push(new Uint8Array([byte])));
  }
  assertEquals(texts(lines), [
    "hello\r\n",
    "γειά σου\n",
    "\n",
    "straße 🎉\n",
  ]);
});

Deno.test("LineSplitter flush keeps a character that has begun", () => {
  const splitter = new LineSplitter({ maxBytes: 100 });
  const party = utf8("🎉");
  for (let count = 1; count <= 3; count++) {
    splitter.push(concat(utf8("ab"), party.subarray(0, count)));
    assertEquals(fromUtf8(splitter.flush()), "ab", `${count} of 4 bytes`);
    assertEquals(splitter.waitingBytes, count);
    splitter.push(party.subarray(count));
    assertEquals(fromUtf8(splitter.flush()), "🎉");
  }
});

Deno.test("LineSplitter cuts a line over maxBytes between characters", () => {
  const splitter = new LineSplitter({ maxBytes: 8 });
  const line = "aά".repeat(20); // 3 bytes a pair: 8 is in the middle of a character
  const pieces = splitter.push(utf8(`${line}\n`));
  for (const piece of pieces) {
    assert(piece.length <= 8);
    assert(!fromUtf8(piece).includes("\ufffd"));
  }
  assertEquals(texts(pieces).join(""), `${line}\n`);
  assertEquals(splitter.waitingBytes, 0);
});

Deno.test("LineSplitter loses and adds nothing with random bytes", () => {
  const rng = seededRng(20261123);
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from(
      { length: Math.floor(rng() * 200) },
      () => rng() < 0.1 ? 10 : Math.floor(rng() * 256),
    );
    const splitter = new LineSplitter({ maxBytes: 4 + Math.floor(rng() * 40) });
    const got: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(rng() * 20);
      got.push(...splitter.push(bytes.subarray(at, end)));
      if (rng() < 0.2) got.push(splitter.flush());
      at = end;
    }
    got.push(splitter.end());
    assertEquals(concat(...got), new Uint8Array(bytes));
    // The pieces decode to the text of the whole: no cut made an invalid sequence that was not there.
    assertEquals(texts(got).join(""), fromUtf8(bytes), `round ${round}`);
  }
});

Deno.test("LineSplitter refuses a maxBytes that no character fits in", () => {
  assertThrows(() => new LineSplitter({ maxBytes: 3 }), RangeError);
});

Deno.test("wholeCharactersLength leaves out only a begun character", () => {
  const cases: readonly (readonly [number[], number])[] = [
    [[], 0],
    [[0x61], 1],
    [[0x61, 0xc3], 1],
    [[0x61, 0xc3, 0x9f], 3],
    [[0xe2, 0x82], 0],
    [[0xe2, 0x82, 0xac], 3],
    [[0xf0, 0x9f, 0x8e], 0],
    [[0xf0, 0x9f, 0x8e, 0x89], 4],
    [[0x80, 0x80, 0x80, 0x80], 4], // no first byte in reach: not UTF-8, nothing to wait for
    [[0xff], 1],
  ];
  for (const [bytes, expected] of cases) {
    assertEquals(
      wholeCharactersLength(new Uint8Array(bytes)),
      expected,
      bytes.join(),
    );
  }
});
