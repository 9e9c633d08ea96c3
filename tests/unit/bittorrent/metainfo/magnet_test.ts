import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isMagnet,
  parseMagnet,
} from "../../../../lib/bittorrent/metainfo/magnet.ts";
import { toHex } from "../../../../lib/core/bytes.ts";
import { fuzz } from "../_fuzz.ts";

const HEX = "0123456789abcdef0123456789abcdef01234567";
/** The same 20 bytes. */
const BASE32 = "AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH";

Deno.test("parseMagnet reads hash, name, trackers, web seeds and peers", () => {
  const magnet = parseMagnet(
    `magnet:?xt=urn:btih:${HEX}&dn=a+b%2Bc&tr=http%3A%2F%2F10.0.0.1%2Fannounce&tr.1=udp://t.example:80&tr=javascript:1` +
      "&x.pe=10.0.0.7:6881&x.pe=[fd00::1]:7&x.pe=h.example:8&x.pe=10.0.0.7:0&x.pe=nothing&ws=http://w.example/&xl=7&so=1",
  );
  assertEquals({ ...magnet, infoHash: toHex(magnet.infoHash) }, {
    ...{ infoHash: HEX, infoHashV2: null, hasV1: true, name: "a b+c" },
    trackers: ["http://10.0.0.1/announce", "udp://t.example:80"],
    webSeeds: ["http://w.example/"],
    peers: [
      { host: "10.0.0.7", port: 6881 },
      { host: "fd00::1", port: 7 },
      { host: "h.example", port: 8 },
    ],
  });
  assertEquals([isMagnet("MAGNET:?xt"), isMagnet("a.torrent")], [true, false]);
});

Deno.test("parseMagnet reads hashes as hexadecimal and base32 digits in either case, and the multihash of v2", () => {
  for (const digits of [HEX, HEX.toUpperCase(), BASE32, BASE32.toLowerCase()]) {
    const { infoHash, name } = parseMagnet(`MAGNET:?XT=urn:BTIH:${digits}`);
    assertEquals([toHex(infoHash), name], [HEX, null]);
  }
  const v2 = "ab".repeat(32);
  const only = parseMagnet(`magnet:?xt=urn:btmh:1220${v2}`);
  assertEquals([toHex(only.infoHash), only.hasV1], ["ab".repeat(20), false]);
  const both = parseMagnet(
    `magnet:?xt.1=urn:btih:${HEX}&xt.2=urn:btmh:1220${v2}`,
  );
  assertEquals(toHex(both.infoHash), HEX);
  assertEquals(toHex(both.infoHashV2!), v2);
});

Deno.test("parseMagnet refuses links that name no torrent or two", () => {
  for (
    const text of [
      ...["", "magnet:", "magnet:?", "magnet:?dn=x", "http://x/?xt=urn:btih:0"],
      ...["magnet:?xt=urn:btih:", "magnet:?xt=urn:btih:00"],
      `magnet:?xt=urn:btih:${HEX}0`,
      `magnet:?xt=urn:sha1:${HEX}`,
      `magnet:?xt=urn:btih:${BASE32.replace("A", "1")}`,
      `magnet:?xt=urn:btih:${HEX}&xt=urn:btih:${HEX.replace("0", "f")}`,
      `magnet:?xt=urn:btih:${HEX}&dn=%ff`,
      `magnet:?xt=urn:btih:${HEX}&dn=${"x".repeat(70_000)}`,
    ]
  ) assertThrows(() => parseMagnet(text), SyntaxError, undefined, text);
});

Deno.test("parseMagnet throws nothing but SyntaxError (seed 11)", () => {
  const sample = new TextEncoder().encode(
    `magnet:?xt=urn:btih:${HEX}&dn=a%20b&tr=http%3A%2F%2Fa&x.pe=[::1]:80`,
  );
  const { accepted, refused } = fuzz(
    [sample],
    (bytes) => parseMagnet(new TextDecoder().decode(bytes)),
    { seed: 11, rounds: 3000 },
  );
  assert(accepted > 100 && refused > 100, `${accepted} ${refused}`);
});
