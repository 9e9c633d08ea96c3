/** The scenarios that come with rolecall, by the name of their file in scenarios/, with what they show. */
export const SCENARIOS: Readonly<Record<string, string>> = {
  all: "the whole chapter in one minute",
  distribution: "time against N: client-server, peer-to-peer, and the bounds",
};
