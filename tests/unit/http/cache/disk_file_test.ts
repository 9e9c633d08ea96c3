import { assert, assertEquals } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { diskEntryFrom } from "../../../../lib/http/cache/disk_entry.ts";
import {
  decodeDiskHead,
  diskTextBytes,
  encodeDiskHead,
  PRELUDE_BYTES,
} from "../../../../lib/http/cache/disk_file.ts";
import { GrowingBody } from "../../../../lib/http/cache/growing_body.ts";
import { toStore } from "../../../../lib/http/cache/stored_response.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { crc32 } from "../../../../lib/io/hash.ts";

const BODY = utf8("a body of a few bytes");
const STORED = toStore(
  { method: "GET", key: "/a", fields: new Fields([["x", "1"]]) },
  {
    status: 200,
    fields: new Fields([
      ["cache-control", "max-age=60"],
      ["vary", "x"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]),
    requestAtMs: 0,
    responseAtMs: 100,
    responseWallMs: 1e12,
  },
  GrowingBody.of(BODY),
);

function read(file: Uint8Array) {
  const prelude = file.subarray(0, PRELUDE_BYTES);
  const length = diskTextBytes(prelude);
  if (length === undefined) return undefined;
  const text = file.subarray(PRELUDE_BYTES, PRELUDE_BYTES + length);
  const options = { fileBytes: file.length, checksum: crc32 };
  return decodeDiskHead(prelude, text, options);
}

Deno.test("encodeDiskHead writes what decodeDiskHead reads, the body behind it", () => {
  const file = concat(encodeDiskHead(STORED, crc32), BODY);
  const head = read(file)!;
  assertEquals(head.checksums, [crc32(BODY)]);
  assertEquals(
    fromUtf8(file.subarray(file.length - BODY.length)),
    "a body of a few bytes",
  );
  const where = { name: "00/x", fileBytes: file.length };
  // A minute later by the wall clock, in a process that has just begun.
  const now = { nowMs: 7, wallMs: 1e12 + 60_000 };
  const entry = diskEntryFrom(head.entry, where, now);
  assertEquals([...entry.fields], [...STORED.fields]);
  assertEquals([entry.key, entry.variant], ["/a", STORED.variant]);
  assertEquals([entry.responseAtMs, entry.lifetimeMs], [7 - 60_000, 60_000]);
  assertEquals(entry.body, { ...where, bodyBytes: BODY.length });
});

Deno.test("decodeDiskHead takes no file that is cut anywhere, or changed in its head", () => {
  const file = concat(encodeDiskHead(STORED, crc32), BODY);
  for (let length = 0; length < file.length; length++) {
    assertEquals(read(file.subarray(0, length)), undefined, `cut at ${length}`);
  }
  const rng = seededRng(1);
  for (let at = 0; at < file.length - BODY.length; at++) {
    const bad = file.slice();
    bad[at]! ^= 1 + Math.floor(rng() * 255);
    assertEquals(read(bad), undefined, `changed at ${at}`);
  }
  // The body has checksums of its own.
  const bad = file.slice();
  bad[file.length - 1]! ^= 1;
  assert(read(bad) !== undefined);
});
