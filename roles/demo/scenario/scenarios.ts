/** The scenarios that come with rolecall, by the name of their file in scenarios/, with what they show. */
export const SCENARIOS: Readonly<Record<string, string>> = {
  all: "the whole chapter, under 90 s",
  distribution: "time against N: client-server, peer-to-peer, and the bounds",
  "tit-for-tat": "who serves whom, and what free riding costs",
  "rarest-first": "which order of asking keeps the file alive",
  churn: "peers come and go, and the seed leaves",
  cdn: "an edge: one fetch for a crowd, a small cache, origins that go",
  dns: "from a name to an edge, whose edge it is, and what a TTL costs",
  streaming: "why a player adapts, how well rules do, who gets what of a link",
};
