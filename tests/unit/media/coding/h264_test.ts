import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../../lib/core/rng.ts";
import { toHex } from "../../../../lib/core/bytes.ts";
import {
  codecsOf,
  NAL,
  nalUnit,
  pictureParameterSet,
  sequenceParameterSet,
} from "../../../../lib/media/coding/h264.ts";
import {
  createMosaic,
  type Mosaic,
} from "../../../../lib/media/picture/mosaic.ts";
import { MosaicEncoder } from "../../../../lib/media/coding/mosaic_encoder.ts";

Deno.test("nalUnit keeps start codes out of the payload (section 7.4.1.1)", () => {
  const cases = [
    [[0, 0, 0], [0, 0, 3, 0]],
    [[0, 0, 1], [0, 0, 3, 1]],
    [[0, 0, 3], [0, 0, 3, 3]],
    [[0, 0, 4], [0, 0, 4]],
    [[0, 0, 0, 0, 0], [0, 0, 3, 0, 0, 3, 0]],
    [[0, 1, 0, 0, 255], [0, 1, 0, 0, 255]],
  ] as const;
  for (const [payload, expected] of cases) {
    assertEquals([...nalUnit(NAL.slice, Uint8Array.from(payload))], [
      NAL.slice,
      ...expected,
    ]);
  }
});

Deno.test("parameter sets and codecs string say Constrained Baseline", () => {
  const sequence = sequenceParameterSet({
    width: 1280,
    height: 720,
    framesPerSecond: 24,
    levelIdc: 31,
  });
  assertEquals(toHex(sequence.subarray(0, 4)), "6742c01f");
  assertEquals(codecsOf("avc3", 31), "avc3.42c01f");
  assertEquals(pictureParameterSet()[0], NAL.pictureParameterSet);
});

/** The largest difference of two mosaics. */
function worst(a: Mosaic, b: Mosaic): number {
  let most = 0;
  for (const plane of ["luma", "cb", "cr"] as const) {
    a[plane].forEach((value, at) => {
      most = Math.max(most, Math.abs(value - b[plane][at]!));
    });
  }
  return most;
}

Deno.test("MosaicEncoder shows flat macroblocks exactly", () => {
  const rng = seededRng(7);
  const picture = createMosaic(5, 4);
  const encoder = new MosaicEncoder(5, 4);
  for (let index = 0; index < 20; index++) {
    for (let block = 0; block < 20; block++) {
      const value = 16 + Math.floor(220 * rng());
      for (let at = 0; at < 16; at++) {
        const y = 4 * Math.floor(block / 5) + (at >> 2);
        picture.luma[20 * y + 4 * (block % 5) + (at & 3)] = value;
      }
    }
    if (index === 0) encoder.encodeKey(picture, 0);
    else encoder.encodeChanges(picture);
    assertEquals(worst(encoder.shown, picture), 0);
  }
});

Deno.test("MosaicEncoder shows any mosaic to within rounding, picture after picture", () => {
  const rng = seededRng(8);
  const picture = createMosaic(6, 5);
  const encoder = new MosaicEncoder(6, 5);
  for (let index = 0; index < 30; index++) {
    for (const plane of [picture.luma, picture.cb, picture.cr]) {
      for (let at = 0; at < plane.length; at++) {
        if (index === 0 || rng() < 0.1) plane[at] = 16 + 220 * rng();
      }
    }
    if (index === 0) encoder.encodeKey(picture, 0);
    else encoder.encodeChanges(picture);
    // Sixteen levels are each rounded by at most a half.
    assert(worst(encoder.shown, picture) <= 8);
  }
});

Deno.test("MosaicEncoder writes a few bytes for a picture that did not change", () => {
  const picture = createMosaic(80, 45);
  picture.luma.fill(100);
  const encoder = new MosaicEncoder(80, 45);
  assertEquals(encoder.encodeKey(picture, 0)[0], NAL.idrSlice);
  const nothing = encoder.encodeChanges(picture);
  assertEquals(nothing[0], NAL.slice);
  assert(nothing.length < 10);
});
