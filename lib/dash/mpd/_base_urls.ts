import { resolveUrl } from "./_attributes.ts";
import { childrenOf, type XmlElement } from "./xml.ts";

/** One of the places where the same files are: a BaseURL with those of the levels above applied. */
export interface BaseUrl {
  readonly url: string;
  /** `@serviceLocation`: places of the same name fail together, such as the nodes of one CDN; "" when there is none. */
  readonly serviceLocation: string;
  /** `@dvb:priority`: places of a lower one are asked first; 1 unless it says otherwise. */
  readonly priority: number;
  /** `@dvb:weight`: its share among places of its priority; undefined when the manifest's order counts. */
  readonly weight: number | undefined;
}

/** Most alternatives kept of a BaseURL list and of products of such lists. */
const MAX_BASE_URLS = 8;

/**
 * Applies the BaseURL children of one level (ISO/IEC 23009-1 §5.6.4): every inherited one with every own one.
 *
 * In the manifest's order, but those of a lower `dvb:priority` first (ETSI TS 103 285 §10.8.2.1). A relative one keeps
 * the service location it is resolved against, unless it names its own.
 */
export function baseUrls(
  element: XmlElement,
  inherited: readonly BaseUrl[],
): readonly BaseUrl[] {
  const own = childrenOf(element, "BaseURL");
  if (own.length === 0) return inherited;
  const all = new Map<string, BaseUrl>();
  const sorted = own.toSorted((a, b) => priorityOf(a) - priorityOf(b));
  for (const child of sorted.slice(0, MAX_BASE_URLS)) {
    const absolute = /^[a-z][a-z0-9+.-]*:/i.test(child.text);
    for (const base of inherited) {
      const url = resolveUrl(child, child.text, base.url);
      const serviceLocation = child.attributes.get("serviceLocation") ??
        (absolute ? "" : base.serviceLocation);
      if (all.has(url)) continue;
      all.set(url, {
        url,
        serviceLocation,
        priority: child.attributes.has("dvb:priority")
          ? priorityOf(child)
          : base.priority,
        weight: weightOf(child) ?? base.weight,
      });
    }
  }
  return [...all.values()].slice(0, MAX_BASE_URLS);
}

function priorityOf(element: XmlElement): number {
  const text = element.attributes.get("dvb:priority") ?? "";
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1;
}

function weightOf(element: XmlElement): number | undefined {
  const text = element.attributes.get("dvb:weight") ?? "";
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}
