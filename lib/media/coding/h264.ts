import { BitWriter } from "./bit_writer.ts";

/** What a parameter set says of a video. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Ten times the level of annex A, such as 31 for level 3.1. */
  readonly levelIdc: number;
}

/** Kinds of NAL units (table 7-1), with nal_ref_idc as they are used here. */
export const NAL = {
  /** Slice of a picture that refers to the one before, and is referred to. */
  slice: 0x41,
  /** Slice of an IDR picture: decoding can start here. */
  idrSlice: 0x65,
  sequenceParameterSet: 0x67,
  pictureParameterSet: 0x68,
} as const;

/** profile_idc 66, Baseline. */
const PROFILE_IDC = 66;
/** constraint_set0 and constraint_set1: Constrained Baseline, which Main and High decoders take as well. */
const CONSTRAINTS = 0xc0;
/** Reference pictures count modulo this (log2_max_frame_num_minus4 = 0). */
const MAX_FRAME_NUM = 16;
/** The quantiser of every picture; see {@linkcode MosaicEncoder} for why 28. */
const QP = 28;
/** Chroma is quantised with 28 - 6 = 22. */
const CHROMA_QP_OFFSET = -6;

/** The RFC 6381 codecs parameter, such as `avc3.42c01f`. */
export function codecsOf(entry: "avc1" | "avc3", levelIdc: number): string {
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  return `${entry}.${hex(PROFILE_IDC)}${hex(CONSTRAINTS)}${hex(levelIdc)}`;
}

/** Macroblocks a picture and a second may have at each level (table A-1), from 3 on: below it nothing is gained. */
const LEVELS:
  readonly (readonly [idc: number, picture: number, rate: number])[] = [
    [30, 1620, 40_500],
    [31, 3600, 108_000],
    [32, 5120, 216_000],
    [40, 8192, 245_760],
    [42, 8704, 522_240],
    [50, 22_080, 589_824],
    [51, 36_864, 983_040],
    [52, 36_864, 2_073_600],
  ];

/** The lowest level that takes so many macroblocks: 10 times its number. Rates are as the level's, since most of ours is padding. */
export function levelOf(format: Omit<VideoFormat, "levelIdc">): number {
  const { columns, rows } = macroblocksOf(format);
  const area = columns * rows;
  const found = LEVELS.find(([, picture, rate]) =>
    area <= picture && area * format.framesPerSecond <= rate
  );
  return (found ?? LEVELS.at(-1)!)[0];
}

/** Number of macroblocks across and down; a size that is no multiple of 16 is rounded up and cropped. */
export function macroblocksOf(
  format: Pick<VideoFormat, "width" | "height">,
): { readonly columns: number; readonly rows: number } {
  return {
    columns: Math.ceil(format.width / 16),
    rows: Math.ceil(format.height / 16),
  };
}

/** Where units are put together, reused between calls. */
let scratch = new Uint8Array(1 << 16);

/** Returns a NAL unit: the header byte, and `payload` with emulation prevention (§7.4.1.1). */
export function nalUnit(
  header: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  // At worst every second byte needs another one after it.
  const most = 1 + Math.ceil(1.5 * payload.length);
  if (scratch.length < most) scratch = new Uint8Array(2 * most);
  const unit = scratch;
  unit[0] = header;
  let length = 1;
  let zeros = 0;
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at]!;
    if (zeros >= 2 && byte <= 3) {
      unit[length++] = 3;
      zeros = 0;
    }
    unit[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return unit.slice(0, length);
}

/** Returns the sequence parameter set as a NAL unit (§7.3.2.1.1, annex E for the VUI). */
export function sequenceParameterSet(
  format: VideoFormat,
): Uint8Array<ArrayBuffer> {
  const { columns, rows } = macroblocksOf(format);
  const out = new BitWriter();
  out.bits(PROFILE_IDC, 8);
  out.bits(CONSTRAINTS, 8);
  out.bits(format.levelIdc, 8);
  out.unsigned(0); // seq_parameter_set_id
  out.unsigned(0); // log2_max_frame_num_minus4
  out.unsigned(2); // pic_order_cnt_type: output order is decoding order
  out.unsigned(1); // max_num_ref_frames
  out.bits(0, 1); // gaps_in_frame_num_value_allowed_flag
  out.unsigned(columns - 1);
  out.unsigned(rows - 1);
  out.bits(1, 1); // frame_mbs_only_flag
  out.bits(1, 1); // direct_8x8_inference_flag
  const right = (16 * columns - format.width) / 2;
  const bottom = (16 * rows - format.height) / 2;
  const cropped = right > 0 || bottom > 0;
  out.bits(cropped ? 1 : 0, 1);
  if (cropped) {
    for (const edge of [0, right, 0, bottom]) out.unsigned(edge);
  }
  out.bits(1, 1); // vui_parameters_present_flag
  writeUsability(out, format.framesPerSecond);
  out.trailingBits();
  return nalUnit(NAL.sequenceParameterSet, out.view());
}

/** vui_parameters(): square samples, BT.709 colours, constant frame rate, no reordering (§E.1.1). */
function writeUsability(out: BitWriter, framesPerSecond: number): void {
  out.bits(1, 1); // aspect_ratio_info_present_flag
  out.bits(1, 8); // aspect_ratio_idc: 1:1
  out.bits(0, 1); // overscan_info_present_flag
  out.bits(1, 1); // video_signal_type_present_flag
  out.bits(5, 3); // video_format: unspecified
  out.bits(0, 1); // video_full_range_flag
  out.bits(1, 1); // colour_description_present_flag
  for (let at = 0; at < 3; at++) out.bits(1, 8); // BT.709 primaries, transfer, matrix
  out.bits(0, 1); // chroma_loc_info_present_flag
  out.bits(1, 1); // timing_info_present_flag
  out.bits32(1); // num_units_in_tick
  out.bits32(2 * framesPerSecond); // time_scale counts fields
  out.bits(1, 1); // fixed_frame_rate_flag
  out.bits(0, 1); // nal_hrd_parameters_present_flag
  out.bits(0, 1); // vcl_hrd_parameters_present_flag
  out.bits(0, 1); // pic_struct_present_flag
  out.bits(1, 1); // bitstream_restriction_flag
  out.bits(1, 1); // motion_vectors_over_pic_boundaries_flag
  out.unsigned(0); // max_bytes_per_pic_denom: no limit
  out.unsigned(0); // max_bits_per_mb_denom: no limit
  out.unsigned(0); // log2_max_mv_length_horizontal
  out.unsigned(0); // log2_max_mv_length_vertical
  out.unsigned(0); // max_num_reorder_frames
  out.unsigned(1); // max_dec_frame_buffering
}

/** Returns the picture parameter set as a NAL unit (§7.3.2.2): CAVLC, quantiser 28, slices may turn the deblocking filter off. */
export function pictureParameterSet(): Uint8Array<ArrayBuffer> {
  const out = new BitWriter();
  out.unsigned(0); // pic_parameter_set_id
  out.unsigned(0); // seq_parameter_set_id
  out.bits(0, 1); // entropy_coding_mode_flag: CAVLC
  out.bits(0, 1); // bottom_field_pic_order_in_frame_present_flag
  out.unsigned(0); // num_slice_groups_minus1
  out.unsigned(0); // num_ref_idx_l0_default_active_minus1
  out.unsigned(0); // num_ref_idx_l1_default_active_minus1
  out.bits(0, 1); // weighted_pred_flag
  out.bits(0, 2); // weighted_bipred_idc
  out.signed(QP - 26); // pic_init_qp_minus26
  out.signed(0); // pic_init_qs_minus26
  out.signed(CHROMA_QP_OFFSET); // chroma_qp_index_offset
  out.bits(1, 1); // deblocking_filter_control_present_flag
  out.bits(0, 1); // constrained_intra_pred_flag
  out.bits(0, 1); // redundant_pic_cnt_present_flag
  out.trailingBits();
  return nalUnit(NAL.pictureParameterSet, out.view());
}

/** Writes slice_header() (§7.3.3) of a picture in one slice. */
export function writeSliceHeader(
  out: BitWriter,
  picture: {
    readonly idr: boolean;
    /** Pictures since the last IDR picture. */
    readonly index: number;
    /** Two IDR pictures in a row must differ in this. */
    readonly idrPicId: number;
  },
): void {
  out.unsigned(0); // first_mb_in_slice
  out.unsigned(picture.idr ? 7 : 5); // slice_type: all I, all P
  out.unsigned(0); // pic_parameter_set_id
  out.bits(picture.index % MAX_FRAME_NUM, 4); // frame_num
  if (picture.idr) {
    out.unsigned(picture.idrPicId);
    out.bits(0, 1); // no_output_of_prior_pics_flag
    out.bits(0, 1); // long_term_reference_flag
  } else {
    out.bits(0, 1); // num_ref_idx_active_override_flag
    out.bits(0, 1); // ref_pic_list_modification_flag_l0
    out.bits(0, 1); // adaptive_ref_pic_marking_mode_flag
  }
  out.signed(0); // slice_qp_delta
  out.unsigned(1); // disable_deblocking_filter_idc: the mosaic's edges stay sharp
}
