/** What an initialisation segment says of its track: codecs parameter (RFC 6381), size, timescale. */
import { toHex, viewOf } from "../../core/bytes.ts";
import { find, FragmentError } from "./fragments.ts";

/** See {@linkcode readInit}. */
export interface InitFacts {
  /** As in `codecs=`: `avc3.64001f`, `hvc1.1.6.L93.B0`, `vp09.00.31.08`, `av01.0.05M.08`, `mp4a.40.2`. */
  readonly codecs: string;
  /** Ticks a second. */
  readonly timescale: number;
  /** 0 of sound. */
  readonly width: number;
  readonly height: number;
}

/** Reads an initialisation segment with one track. @throws {FragmentError} If it is none, or of a codec we do not know. */
export function readInit(init: Uint8Array): InitFacts {
  const view = viewOf(init);
  const inside = (
    place: { readonly start: number; readonly end: number },
    type: string,
  ) => find(init, place.start, type, place.end);
  const media = inside(inside(find(init, 0, "moov"), "trak"), "mdia");
  const header = inside(media, "mdhd").start;
  const timescale = view.getUint32(
    header + (view.getUint8(header) === 1 ? 20 : 12),
  );
  const description = inside(
    inside(inside(media, "minf"), "stbl"),
    "stsd",
  );
  // One entry after version, flags and count.
  const at = description.start + 8;
  const type = String.fromCharCode(...init.subarray(at + 4, at + 8));
  const end = at + view.getUint32(at);
  if (type === "mp4a") {
    return { codecs: "mp4a.40.2", timescale, width: 0, height: 0 };
  }
  const configuration = (box: string) => {
    const place = find(init, at + 86, box, end);
    return init.subarray(place.start, place.end);
  };
  return {
    codecs: codecsOf(type, configuration),
    timescale,
    width: view.getUint16(at + 32),
    height: view.getUint16(at + 34),
  };
}

function codecsOf(
  type: string,
  configuration: (box: string) => Uint8Array,
): string {
  const two = (value: number) => String(value).padStart(2, "0");
  switch (type) {
    case "avc1":
    case "avc3":
      return `${type}.${toHex(configuration("avcC").subarray(1, 4))}`;
    case "hvc1":
    case "hev1":
      return `${type}.${hevc(configuration("hvcC"))}`;
    case "vp09": {
      const vpcc = configuration("vpcC");
      return `vp09.${two(vpcc[4]!)}.${two(vpcc[5]!)}.${two(vpcc[6]! >> 4)}`;
    }
    case "av01": {
      const av1c = configuration("av1C");
      const profile = av1c[1]! >> 5;
      const level = av1c[1]! & 31;
      const tier = av1c[2]! & 0x80 ? "H" : "M";
      const bits = av1c[2]! & 0x40 ? (av1c[2]! & 0x20 ? 12 : 10) : 8;
      return `av01.${profile}.${two(level)}${tier}.${two(bits)}`;
    }
    default:
      throw new FragmentError(`its codec "${type}" is not known`);
  }
}

/** Profile, compatibility, tier and level, constraints (ISO/IEC 14496-15 annex E.3). */
function hevc(hvcc: Uint8Array): string {
  const general = hvcc[1]!;
  const space = ["", "A", "B", "C"][general >> 6]!;
  // The 32 flags stand in reverse.
  let flags = viewOf(hvcc).getUint32(2);
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) {
    reversed = (reversed << 1) | (flags & 1);
    flags >>>= 1;
  }
  const constraints = [...hvcc.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  const tier = general & 0x20 ? "H" : "L";
  return [
    `${space}${general & 31}`,
    (reversed >>> 0).toString(16).toUpperCase(),
    `${tier}${hvcc[12]}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}
