/** A Representation of a set, whole: its attributes may hold `>` in quotes. */
const REPRESENTATION =
  /<((?:\w+:)?Representation)\b(?:[^>"']|"[^"]*"|'[^']*')*?(?:\/>|>[\s\S]*?<\/\1>)\s*/g;
const ADAPTATION_SET = /<((?:\w+:)?AdaptationSet)\b[\s\S]*?<\/\1>/g;
/** Sets whose rates nobody has to choose between. */
const OTHER_MEDIA = /(?:contentType|mimeType)=["'](?:audio|text|image)/;

/**
 * Takes all but the lowest rate of each video AdaptationSet out of a manifest, for a player that is to leave the choice
 * to its proxy. Comments go, too; everything else stays as it is.
 *
 * @param text A manifest that `parseMpd` has read.
 */
export function keepLowestRung(text: string): string {
  const plain = text.replace(/<!--[\s\S]*?-->/g, "");
  return plain.replace(ADAPTATION_SET, (set) => {
    if (OTHER_MEDIA.test(set)) return set;
    const all = [...set.matchAll(REPRESENTATION)].map(([each]) => each);
    const lowest = all.reduce<string | undefined>(
      (best, each) =>
        best === undefined || rateOf(each) < rateOf(best) ? each : best,
      undefined,
    );
    return set.replace(REPRESENTATION, (each) => each === lowest ? each : "");
  });
}

function rateOf(representation: string): number {
  return Number(/\sbandwidth=["'](\d+)/.exec(representation)?.[1] ?? Infinity);
}
