/** Which copy of a segment is being tried. */
export interface Attempt {
  /** The rung; 0 is the lowest. */
  readonly index: number;
  /** Which of the alternative BaseURLs. */
  readonly urlIndex: number;
  /** Requests made for this copy before this one. */
  readonly tries: number;
  /** Whether this is a lower rung than the rule chose. */
  readonly fallback: boolean;
}

/** What to try after a failure. */
export interface NextAttempt {
  readonly attempt: Attempt;
  readonly waitMs: number;
  readonly step: "again" | "next-url" | "lower-rate";
}

/** Requests for one copy when the server says it is not there: a second one, as a CDN node may just be filling. */
const TRIES_ABSENT = 2;
/** Requests for one copy when the network or the server failed. */
const TRIES_FAILED = 3;
/** Wait before the second request, doubled before each further one. */
const BACK_OFF_MS = 500;

/**
 * Says what to try after a failure: the same URL again after a growing pause, then the next BaseURL, then the rung
 * below (one request for each of its URLs, since the host has failed already), until there is none.
 *
 * @param status The HTTP status; undefined when there was no answer.
 * @param urlCount Alternatives each rung has.
 */
export function nextAttempt(
  attempt: Attempt,
  { status, urlCount }: {
    readonly status: number | undefined;
    readonly urlCount: number;
  },
): NextAttempt | undefined {
  const tries = attempt.tries + 1;
  const absent = status !== undefined && status >= 400 && status < 500 &&
    status !== 408 && status !== 429;
  const allowed = attempt.fallback ? 1 : absent ? TRIES_ABSENT : TRIES_FAILED;
  if (tries < allowed) {
    const waitMs = BACK_OFF_MS * 2 ** (tries - 1);
    return { attempt: { ...attempt, tries }, waitMs, step: "again" };
  }
  const urlIndex = attempt.urlIndex + 1;
  if (urlIndex < urlCount) {
    return {
      attempt: { ...attempt, urlIndex, tries: 0 },
      waitMs: 0,
      step: "next-url",
    };
  }
  if (attempt.index === 0) return undefined;
  const index = attempt.index - 1;
  return {
    attempt: { index, urlIndex: 0, tries: 0, fallback: true },
    waitMs: 0,
    step: "lower-rate",
  };
}
