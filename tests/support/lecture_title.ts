import { lecturePlan } from "../../lib/media/title/title_plan.ts";

/** The lecture's three rates. */
export const RUNGS = lecturePlan().rungs;
/** 634.625 s at 24 frames a second. */
export const TITLE_FRAMES = 15_231;
/** 126 of 5 s, and one of 4.625 s. */
export const SEGMENT_COUNT = 127;

/** Name of a segment, counted from 1, as in the lecture: `video_720_1.m4s`. */
export function segmentName(height: number, number: number): string {
  return `video_${height}_${number}.m4s`;
}
