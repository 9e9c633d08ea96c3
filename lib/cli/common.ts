import { flag, type FlagValues } from "./flags.ts";

/** The flags that every mode of every role has beside its own. */
export const COMMON_FLAGS = {
  name: flag.text({
    help: "How this instance calls itself (default: role@hostname)",
  }),
  log: flag.choice(["text", "json"], {
    help: "Log on stderr: lines for people, or JSON lines",
    default: "text",
  }),
  events: flag.path({
    placeholder: "FILE",
    help: "Append every event to FILE as JSON lines",
  }),
  admin: flag.text({
    placeholder: "[ADDR:]PORT",
    help:
      "Serve /healthz, /metrics, /events and /config here; on loopback unless ADDR says otherwise",
  }),
  config: flag.path({
    placeholder: "FILE",
    help:
      'Read flags from a JSON file, such as {"port": 8080, "json": true}; the command line wins',
  }),
  seed: flag.count({
    help: "Seed of every random choice, so that a run can be repeated",
  }),
  unlisted: flag.toggle({
    help: "Do not answer rolecall roster",
  }),
  json: flag.toggle({
    help:
      "Print the result as one JSON document; of what serves until it is stopped there is none",
  }),
  out: flag.path({
    placeholder: "DIR",
    help:
      "Also write events.jsonl into DIR and, of a result, report.html and its charts",
  }),
} as const;

/** See {@linkcode COMMON_FLAGS}. */
export type CommonValues = FlagValues<typeof COMMON_FLAGS>;
