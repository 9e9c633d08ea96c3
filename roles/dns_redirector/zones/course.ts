import { flag, type FlagValues } from "../../../lib/cli/flags.ts";
import { formatAddress } from "../../../lib/core/address.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import type {
  Answering,
  Asker,
  Reply,
} from "../../../lib/dns/authority/responder.ts";
import {
  type AliasSpec,
  namesBeside,
} from "../../../lib/dns/authority/zone_flags.ts";
import { PlainAnswers } from "../../../lib/dns/course/plain_answers.ts";
import { displayName, type Name } from "../../../lib/dns/name.ts";
import type { FileAppender } from "../../../lib/io/files.ts";
import type { RoleContext } from "../../../lib/role.ts";

const COURSES = ["cmu", "umich"] as const;

/** The flags that let the server stand where a course's own name server would. */
export const COURSE_FLAGS = {
  course: flag.choice(COURSES, {
    help:
      "Answers as the name server of a course project, for its grader: nothing but question and answer, AA, no RD, no EDNS, NXDOMAIN for every other name, TTL 0",
  }),
  courseLog: flag.path({
    placeholder: "FILE",
    help:
      "A line for each answer, in the form of --course: [TIME ]CLIENT NAME ADDRESS; cmu's grows, umich's is written anew",
  }),
};

/** The values of {@linkcode COURSE_FLAGS}. */
export type CourseFlagValues = FlagValues<typeof COURSE_FLAGS>;

/** What {@linkcode CourseMode} looks at. */
type CourseModeFlags = CourseFlagValues & {
  readonly domain: readonly Name[];
  readonly cname: readonly AliasSpec[];
};

/** Answers as a course's name server, and logs as it does; as they are, without `--course`. */
export class CourseMode implements Disposable {
  readonly #course: CourseFlagValues["course"];
  readonly #file: FileAppender | undefined;
  /** Names that such a server does not have. */
  readonly #hidden: readonly Name[];
  readonly #ctx: RoleContext;

  private constructor(
    { course, domain, cname }: CourseModeFlags,
    file: FileAppender | undefined,
    ctx: RoleContext,
  ) {
    this.#course = course;
    this.#file = file;
    this.#hidden = namesBeside(domain, cname);
    this.#ctx = ctx;
  }

  /** Opens the log. @throws {InputError} If it cannot be written, or `--course` does not say its form. */
  static async open(
    flags: CourseModeFlags,
    ctx: RoleContext,
  ): Promise<CourseMode> {
    const { course, courseLog } = flags;
    if (courseLog === undefined) return new CourseMode(flags, undefined, ctx);
    if (course === undefined) {
      throw new InputError(
        `--course-log needs --course ${COURSES.join("|")}, to know its form`,
      );
    }
    try {
      if (course === "umich") await ctx.files.remove(courseLog);
      const file = await ctx.files.appender(
        courseLog,
        ({ message: reason }) =>
          ctx.emit({ type: "file.failed", path: courseLog, reason }),
      );
      return new CourseMode(flags, file, ctx);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      throw new InputError(`--course-log ${courseLog}: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Closes the log. */
  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  /** What answers in this mode, with `inner` to know the answers. */
  answering(inner: Answering): Answering {
    if (this.#course === undefined) return inner;
    const plain = new PlainAnswers(inner, this.#hidden);
    return {
      respond: (query: Uint8Array, asker: Asker, into?: Uint8Array) => {
        const reply = plain.respond(query, asker, into);
        if (reply?.choice !== undefined) this.#log(query, reply, asker);
        return reply;
      },
    };
  }

  #log(query: Uint8Array, reply: Reply, { address }: Asker): void {
    if (this.#file === undefined) return;
    const words = [
      formatAddress(address),
      displayName(query.subarray(12, reply.nameEnd)),
      reply.choice?.edge.host,
    ];
    if (this.#course === "cmu") {
      words.unshift(String(Math.floor(this.#ctx.clock.wallMs() / 1000)));
    }
    this.#file.append(`${words.join(" ")}\n`);
  }
}
