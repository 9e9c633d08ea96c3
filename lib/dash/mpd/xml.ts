import { SaxesParser } from "saxes";

/** An element of a manifest, without its namespace prefix. */
export interface XmlElement {
  /** Local name: `AdaptationSet`. */
  readonly name: string;
  /** By name as written (`xlink:href`). */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Character data directly inside, trimmed. */
  readonly text: string;
  /** Line of the start tag, counted from 1. */
  readonly line: number;
}

/**
 * A manifest that cannot be used, with the place: what the user sees names element and line.
 *
 * Codes: `not-xml`, `doctype`, `too-large`, `not-an-mpd`, `missing`, `bad-value`, `unsupported`.
 */
export class MpdError extends SyntaxError {
  /** Stable and kebab-case; tests match on this and never on the message. */
  readonly code: string;
  /** Line in the manifest, counted from 1. */
  readonly line: number;
  /** What is wrong, without the line. */
  readonly problem: string;

  /** Creates the error; `message` says what is wrong, the line is put in front of it. */
  constructor(code: string, line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "MpdError";
    this.code = code;
    this.line = line;
    this.problem = message;
  }

  /** Only the element it was found in is lost: something it needs is not there, or is not known to us. */
  get passable(): boolean {
    return this.code === "missing" || this.code === "unsupported";
  }
}

/** Longest manifest read, in characters: a day of SegmentTimeline in 20 rates is a tenth of this. */
export const MAX_MPD_BYTES = 16 * 2 ** 20;
/** Deepest nesting: MPD elements need 8, scheme-specific ones a few more. */
const MAX_DEPTH = 64;
/** Most elements: what {@linkcode MAX_MPD_BYTES} of SegmentURLs would hold, so that memory stays bounded. */
const MAX_ELEMENTS = 400_000;

interface Growing {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
  readonly line: number;
}

/**
 * Reads an XML document into a tree.
 *
 * A document type declaration is refused outright: no manifest needs one, and it is what entity bombs and
 * external entities are made of. Entities other than the five of XML are errors for the same reason.
 *
 * @throws {MpdError} `not-xml`, `doctype` or `too-large`.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_MPD_BYTES) {
    throw new MpdError("too-large", 1, `more than ${MAX_MPD_BYTES} characters`);
  }
  const parser = new SaxesParser({ xmlns: false, position: true });
  const open: Growing[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  let tagLine = 1;
  parser.on("error", (error) => {
    throw new MpdError("not-xml", parser.line, saxMessage(error.message));
  });
  parser.on("doctype", () => {
    throw new MpdError(
      "doctype",
      parser.line,
      "a DOCTYPE is refused: no manifest needs one",
    );
  });
  // Told once the character after the name is read, which may be the end of the line.
  parser.on("opentagstart", () => {
    tagLine = parser.columnIndex === 0 ? parser.line - 1 : parser.line;
  });
  parser.on("opentag", (tag) => {
    count += 1;
    checkSize(count, open.length, parser.line);
    open.push({
      name: tag.name.slice(tag.name.indexOf(":") + 1),
      attributes: new Map(Object.entries(tag.attributes)),
      children: [],
      text: "",
      line: tagLine,
    });
  });
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const element = open.pop();
    if (element === undefined) return;
    element.text = element.text.trim();
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
  });
  parser.write(text.replace(/^\uFEFF/, "")).close();
  if (root === undefined) {
    throw new MpdError("not-xml", 1, "the document has no element");
  }
  return root;
}

function checkSize(count: number, depth: number, line: number): void {
  if (count > MAX_ELEMENTS) {
    throw new MpdError("too-large", line, `more than ${MAX_ELEMENTS} elements`);
  }
  if (depth >= MAX_DEPTH) {
    throw new MpdError(
      "too-large",
      line,
      `elements nested more than ${MAX_DEPTH} deep`,
    );
  }
}

/** Takes the position saxes puts first away: we say it in words. */
function saxMessage(message: string): string {
  return message.replace(/^\d+:\d+:\s*/, "").replace(/\.$/, "");
}

/** Children by name, made when first asked for: each of 100,000 Representations looks through the children of its AdaptationSet. */
const byName = new WeakMap<XmlElement, Map<string, XmlElement[]>>();

/** Returns the children of `element` named `name`, in order. */
export function childrenOf(
  element: XmlElement,
  name: string,
): readonly XmlElement[] {
  let children = byName.get(element);
  if (children === undefined) {
    children = Map.groupBy(element.children, (child) => child.name);
    byName.set(element, children);
  }
  return children.get(name) ?? [];
}

/** Returns the first child of `element` named `name`. */
export function childOf(
  element: XmlElement,
  name: string,
): XmlElement | undefined {
  return childrenOf(element, name)[0];
}
