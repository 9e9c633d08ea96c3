/**
 * Writes HLS playlists (RFC 8216) of the same segments a manifest names: fragmented MP4, as CMAF has it.
 *
 * Version 7: EXT-X-MAP in playlists that are not I-frame only, and independent segments.
 */
import {
  type Published,
  type PublishedSet,
  type Rendition,
  segmentNameOf,
} from "./published.ts";

/** Name of the playlist a player is given. */
export const MASTER_NAME = "master.m3u8";

/** Name of the playlist of one rendition. */
export function playlistName({ name }: Pick<Rendition, "name">): string {
  return `${name}.m3u8`;
}

/** Returns the multivariant playlist: every rate, with the audio each goes with. */
export function writeMaster(title: Published): string {
  const audio = title.sets.find((set) => set.contentType === "audio");
  const sound = audio?.renditions[0];
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  if (audio !== undefined && sound !== undefined) {
    lines.push(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="${
        sound.audio!.channels
      }",URI="${playlistName(sound)}"`,
    );
  }
  for (const set of title.sets) {
    if (set === audio) continue;
    for (const rendition of set.renditions) {
      const { video, bitsPerSecond, codecs } = rendition;
      const total = bitsPerSecond + (sound?.bitsPerSecond ?? 0);
      const attributes = [
        `BANDWIDTH=${total}`,
        `CODECS="${[codecs, ...(sound ? [sound.codecs] : [])].join(",")}"`,
        `RESOLUTION=${video!.width}x${video!.height}`,
        `FRAME-RATE=${frameRateOf(video!.frameRate).toFixed(3)}`,
        ...(sound ? ['AUDIO="audio"'] : []),
      ];
      lines.push(`#EXT-X-STREAM-INF:${attributes.join(",")}`);
      lines.push(playlistName(rendition));
    }
  }
  return lines.join("\n") + "\n";
}

function frameRateOf(text: string): number {
  const [rate = 0, per = 1] = text.split("/").map(Number);
  return rate / per;
}

/** Returns the media playlist of one rendition; a live one ends with the newest segment. */
export function writePlaylist(
  title: Published,
  set: PublishedSet,
  rendition: Rendition,
): string {
  const { timescale, segmentTicks, firstNumber, nominalTicks } = set;
  const { file, initName } = rendition;
  const longest = Math.max(nominalTicks, ...segmentTicks) / timescale;
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${Math.ceil(longest)}`,
    `#EXT-X-MEDIA-SEQUENCE:${firstNumber}`,
    ...(title.live === undefined ? ["#EXT-X-PLAYLIST-TYPE:VOD"] : []),
    file === undefined
      ? `#EXT-X-MAP:URI="${initName}"`
      : `#EXT-X-MAP:URI="${file.name}",BYTERANGE="${file.initBytes}@0"`,
  ];
  let ticks = (firstNumber - 1) * nominalTicks;
  let offset = file === undefined ? 0 : file.initBytes + file.indexBytes;
  segmentTicks.forEach((length, at) => {
    lines.push(`#EXTINF:${(length / timescale).toFixed(6)},`);
    if (file === undefined) {
      lines.push(segmentNameOf(rendition, { number: firstNumber + at, ticks }));
    } else {
      const bytes = file.segmentBytes[at]!;
      lines.push(`#EXT-X-BYTERANGE:${bytes}@${offset}`, file.name);
      offset += bytes;
    }
    ticks += length;
  });
  if (title.live === undefined) lines.push("#EXT-X-ENDLIST");
  return lines.join("\n") + "\n";
}
