import { wholeNumber } from "./_attributes.ts";
import { childOf, childrenOf, MpdError, type XmlElement } from "./xml.ts";

/** Segment information of up to three levels (Period, AdaptationSet, Representation), seen as one: inner ones come first (ISO/IEC 23009-1 §5.3.9.1). */
export class Inherited {
  readonly #levels: readonly XmlElement[];

  /** Takes the elements of one kind, outermost first, at least one. */
  constructor(levels: readonly XmlElement[]) {
    this.#levels = levels;
  }

  /** The innermost level with the attribute; the innermost of all when none has it. */
  having(attribute: string): XmlElement {
    return this.#levels.findLast((level) => level.attributes.has(attribute)) ??
      this.innermost;
  }

  /** The attribute as it is written. */
  text(attribute: string): string | undefined {
    return this.having(attribute).attributes.get(attribute);
  }

  /** The children of that name of the innermost level that has any. */
  children(name: string): readonly XmlElement[] {
    const level = this.#levels.findLast((level) =>
      childOf(level, name) !== undefined
    );
    return level === undefined ? [] : childrenOf(level, name);
  }

  /** The innermost level. */
  get innermost(): XmlElement {
    return this.#levels.at(-1)!;
  }

  /** `@timescale`: units in a second. */
  get timescale(): number {
    const element = this.having("timescale");
    const value = wholeNumber(element, "timescale") ?? 1;
    if (value === 0) {
      throw new MpdError(
        "bad-value",
        element.line,
        `${element.name}@timescale must not be 0`,
      );
    }
    return value;
  }
}
