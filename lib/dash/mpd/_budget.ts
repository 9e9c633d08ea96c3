import { MpdError, type XmlElement } from "./xml.ts";

/** Most segments a manifest may come to, over all Representations and alternative BaseURLs: 20 rates of a day in 10 s segments. */
const MAX_SEGMENTS = 200_000;
/** Most characters that their URLs may come to, which are all held in memory: 500 for each. */
const MAX_CHARACTERS = 500 * MAX_SEGMENTS;

/** What one manifest may still come to: a few bytes of it can stand for any number of segments. */
export class Budget {
  #segmentsLeft = MAX_SEGMENTS;
  #charactersLeft = MAX_CHARACTERS;

  /** Takes `count` segments. @throws {MpdError} `too-large`, if there are not so many left, or `count` is no number. */
  takeSegments(count: number, element: XmlElement): void {
    this.#segmentsLeft -= count;
    if (!(this.#segmentsLeft >= 0)) {
      throw new MpdError(
        "too-large",
        element.line,
        `${element.name} comes to more segments than a manifest may have`,
      );
    }
  }

  /** Takes the characters of URLs. @throws {MpdError} `too-large`, if there are not so many left. */
  takeUrls(urls: readonly string[], element: XmlElement): void {
    for (const url of urls) this.#charactersLeft -= url.length;
    if (this.#charactersLeft < 0) {
      throw new MpdError(
        "too-large",
        element.line,
        `${element.name} makes the URLs of all segments longer than a manifest may`,
      );
    }
  }
}
