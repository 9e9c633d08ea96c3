/** What the identifiers of a SegmentTemplate stand for in one URL. */
export interface TemplateValues {
  /** `$RepresentationID$`: as it is, never padded. */
  readonly representationId: string;
  /** `$Bandwidth$`: of the Representation, in bits per second. */
  readonly bitsPerSecond: number;
  /** `$Number$`: of the segment; undefined in an initialization template, which may not have it. */
  readonly number?: number;
  /** `$Time$`: start in units of the timescale; 64 bits wide in manifests that count from 1970. */
  readonly time?: bigint;
}

/** Zero padding asked for with `%0[width]d`; longer than any number there is, and no memory bomb. */
const MAX_WIDTH = 32;

/** Longest template and longest identifier filled in, in characters: more is no URL but a memory bomb. */
const MAX_CHARACTERS = 4096;

const IDENTIFIER =
  /\$(?:(RepresentationID|Number|Bandwidth|Time)(%[^$]*)?)?\$/g;

/**
 * Fills in a URL template of a SegmentTemplate: `video_$Bandwidth$_$Number%05d$.m4s`.
 *
 * ISO/IEC 23009-1 §5.3.9.4.4, table 16: `$$` is a dollar sign, `%0[width]d` pads with zeros.
 *
 * @throws {SyntaxError} If template or result are over 4,096 characters, an identifier is unknown, unclosed, has no value here, or a format tag is not `%0[width]d`.
 *
 * @example
 * ```ts
 * import { expandTemplate } from "./template.ts";
 * expandTemplate("$RepresentationID$/$Number%03d$.m4s", {
 *   representationId: "720p",
 *   bitsPerSecond: 2_500_000,
 *   number: 7,
 * }); // "720p/007.m4s"
 * ```
 */
export function expandTemplate(
  template: string,
  values: TemplateValues,
): string {
  if (template.length > MAX_CHARACTERS) throw tooLong();
  if (template.replaceAll(IDENTIFIER, "").includes("$")) {
    throw new SyntaxError(
      `Cannot fill in template: identifiers are $RepresentationID$, $Number$, $Bandwidth$, $Time$ and $$, got "${
        template.slice(0, 80)
      }"`,
    );
  }
  let room = MAX_CHARACTERS - template.length;
  const fit = (text: string) => {
    room -= text.length;
    if (room < 0) throw tooLong();
    return text;
  };
  return template.replaceAll(
    IDENTIFIER,
    (_, name: string | undefined, format: string | undefined) =>
      fit(name === undefined ? "$" : substitute(name, format, values)),
  );
}

function tooLong(): SyntaxError {
  return new SyntaxError(
    `Cannot fill in template: it comes to more than ${MAX_CHARACTERS} characters`,
  );
}

function substitute(
  name: string,
  format: string | undefined,
  values: TemplateValues,
): string {
  if (name === "RepresentationID") {
    if (format !== undefined) {
      throw new SyntaxError(
        `Cannot fill in template: $RepresentationID$ takes no format, got "${format}"`,
      );
    }
    return values.representationId;
  }
  const value = name === "Bandwidth"
    ? values.bitsPerSecond
    : name === "Number"
    ? values.number
    : values.time;
  if (value === undefined) {
    throw new SyntaxError(
      `Cannot fill in template: there is no $${name}$ for an initialization segment`,
    );
  }
  return String(value).padStart(widthOf(format), "0");
}

function widthOf(format: string | undefined): number {
  if (format === undefined) return 1;
  const width = Number(/^%0(\d+)d$/.exec(format)?.[1] ?? NaN);
  if (!(width <= MAX_WIDTH)) {
    throw new SyntaxError(
      `Cannot fill in template: a format is %0[width]d with a width up to ${MAX_WIDTH}, got "${format}"`,
    );
  }
  return width;
}
