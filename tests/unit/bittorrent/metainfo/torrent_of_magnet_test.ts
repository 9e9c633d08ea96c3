import { assertEquals, assertThrows } from "@std/assert";
import { parseMagnet } from "../../../../lib/bittorrent/metainfo/magnet.ts";
import { makeMetainfo } from "../../../../lib/bittorrent/metainfo/make_metainfo.ts";
import { parseMetainfo } from "../../../../lib/bittorrent/metainfo/metainfo.ts";
import {
  encodeTorrent,
  torrentOfMagnet,
} from "../../../../lib/bittorrent/metainfo/torrent_of_magnet.ts";
import { sha1 } from "../../../support/swarm_talk.ts";

const HASHING = { sha1, sha256: () => new Uint8Array(32) };
const LINK = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";

Deno.test("encodeTorrent writes a torrent with the info dictionary as it came, and the link's trackers and web seeds", () => {
  const made = makeMetainfo({
    ...{ name: "a", content: 5, pieceLength: 16_384, source: "here" },
    pieces: new Uint8Array(20),
  });
  const { infoBytes, infoHash } = parseMetainfo(made, HASHING);
  const links = [
    ["", [], []],
    ["&tr=udp://a:1", [["udp://a:1"]], []],
    [
      "&tr=udp://a:1&tr=http://b/&ws=http://c/",
      [["udp://a:1"], ["http://b/"]],
      ["http://c/"],
    ],
  ] as const;
  for (const [more, tiers, webSeeds] of links) {
    const torrent = torrentOfMagnet(
      parseMagnet(LINK + more),
      infoBytes,
      HASHING,
    );
    const read = parseMetainfo(encodeTorrent(torrent), HASHING);
    assertEquals(read.infoHash, infoHash);
    assertEquals(read.announceList, tiers.map((tier) => [...tier]));
    assertEquals(read.webSeeds, [...webSeeds]);
  }
});

Deno.test("torrentOfMagnet refuses metadata that is no torrent", () => {
  assertThrows(
    () => torrentOfMagnet(parseMagnet(LINK), new Uint8Array(9), HASHING),
    SyntaxError,
  );
});
