import { LECTURE_LADDER, parseLadder } from "../../lib/media/ladder.ts";
import {
  LECTURE_DURATION_MS,
  planOf,
  type TitlePlan,
  type TitleWishes,
} from "../../lib/media/title_plan.ts";

/** The plan of `rolecall origin` without flags, but for what is asked for. */
export function lecturePlan(wishes: Partial<TitleWishes> = {}): TitlePlan {
  return planOf({
    title: "Test card",
    ladder: parseLadder(LECTURE_LADDER),
    segmentMs: 5000,
    durationMs: LECTURE_DURATION_MS,
    variation: 0,
    seed: 1,
    audio: false,
    addressing: "list",
    ...wishes,
  });
}

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
