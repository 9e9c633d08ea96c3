/** The program's exit codes; scripts and graders rely on them. */
export const EXIT = {
  /** Done, or stopped on request. */
  done: 0,
  /** Failed at run time. */
  failed: 1,
  /** Bad usage or a bad input file. */
  usage: 2,
  /** A bug in rolecall. */
  bug: 70,
  /** Interrupted twice. */
  interrupted: 130,
} as const;
