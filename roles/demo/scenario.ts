import {
  parseByteRate,
  parseDurationMs,
  parseSizeBytes,
} from "../../lib/core/units.ts";

/** A scripted classroom demo: acts played one after the other. Written as JSON in `scenarios/`. */
export interface Scenario {
  readonly title: string;
  readonly acts: readonly Act[];
}

/** One act and its numbers. */
export type Act = EchoAct | DistributionAct | CdnAct;

/** Echo over UDP with loss, and over TCP with two clients at once. */
export interface EchoAct {
  readonly act: "echo";
  readonly pings: number;
  readonly intervalMs: number;
  /** Probability in [0, 1] that the server drops a datagram. */
  readonly loss: number;
  readonly delayMs: number;
  readonly lines: readonly string[];
}

/** One file to N clients: from a server, and in a swarm. */
export interface DistributionAct {
  readonly act: "distribution";
  readonly fileBytes: number;
  readonly leeches: number;
  readonly serverBytesPerSecond: number;
  readonly peerBytesPerSecond: number;
}

/** A title played in several networks, each directed to its own edge by DNS. */
export interface CdnAct {
  readonly act: "cdn";
  readonly domain: string;
  readonly cdnDomain: string;
  readonly mediaMs: number;
  readonly networks: readonly CdnNetwork[];
}

/** A network of clients with an edge inside ("enter deep"). */
export interface CdnNetwork {
  readonly name: string;
  readonly clients: number;
  /** Pause between the starts of its clients. */
  readonly staggerMs: number;
  readonly edgeBytesPerSecond: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a scenario.
 *
 * @throws {SyntaxError} If it is no JSON, or a field is missing, unknown or out of range; the message names the field, such as `acts[1].file`.
 */
export function parseScenario(text: string): Scenario {
  const root = new Reader("", JSON.parse(text));
  const title = root.text("title");
  const acts = root.list("acts", 1, 20).map((act): Act => {
    const kind = act.text("act");
    switch (kind) {
      case "echo":
        return act.done({
          act: "echo",
          pings: act.number("pings", 1, 1000),
          intervalMs: act.unit("interval", parseDurationMs),
          loss: act.number("loss", 0, 1),
          delayMs: act.unit("delay", parseDurationMs),
          lines: act.texts("lines"),
        });
      case "distribution":
        return act.done({
          act: "distribution",
          fileBytes: act.unit("file", parseSizeBytes),
          leeches: act.number("leeches", 1, 30),
          serverBytesPerSecond: act.unit("serverUpload", parseByteRate),
          peerBytesPerSecond: act.unit("peerUpload", parseByteRate),
        });
      case "cdn":
        return act.done({
          act: "cdn",
          domain: act.text("domain"),
          cdnDomain: act.text("cdnDomain"),
          mediaMs: act.unit("media", parseDurationMs),
          networks: act.list("networks", 1, 8).map((network) =>
            network.done({
              name: network.text("name"),
              clients: network.number("clients", 1, 10),
              staggerMs: network.unit("stagger", parseDurationMs),
              edgeBytesPerSecond: network.unit("edgeRate", parseByteRate),
            })
          ),
        });
      default:
        throw act.wrong("act", `"echo", "distribution" or "cdn"`, kind);
    }
  });
  return root.done({ title, acts });
}

/** Takes fields of one JSON object and knows where it is. */
class Reader {
  readonly #path: string;
  readonly #fields: Fields;
  readonly #taken = new Set<string>();

  constructor(path: string, value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new SyntaxError(`${path || "it"} must be a JSON object`);
    }
    this.#path = path;
    this.#fields = value as Fields;
  }

  wrong(name: string, must: string, got: unknown): SyntaxError {
    return new SyntaxError(
      `${this.#at(name)} must be ${must}, got ${
        JSON.stringify(got) ?? "nothing"
      }`,
    );
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value === "") {
      throw this.wrong(name, "a text", value);
    }
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#take(name);
    if (
      !Array.isArray(value) || value.some((each) => typeof each !== "string")
    ) throw this.wrong(name, "a list of texts", value);
    return value;
  }

  number(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      throw this.wrong(name, `a number from ${min} to ${max}`, value);
    }
    return value;
  }

  unit(name: string, parse: (text: string) => number): number {
    try {
      return parse(this.text(name));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new SyntaxError(`${this.#at(name)} ${error.message}`);
    }
  }

  list(name: string, min: number, max: number): readonly Reader[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw this.wrong(name, `a list of ${min} to ${max}`, value);
    }
    return value.map((each, at) =>
      new Reader(`${this.#at(name)}[${at}]`, each)
    );
  }

  /** Returns `result` when every field of the object was taken. */
  done<T>(result: T): T {
    const left = Object.keys(this.#fields).find((key) => !this.#taken.has(key));
    if (left !== undefined) {
      throw new SyntaxError(
        `${this.#at(left)} is unknown; known here: ${
          [...this.#taken].join(", ")
        }`,
      );
    }
    return result;
  }

  #take(name: string): unknown {
    this.#taken.add(name);
    return this.#fields[name];
  }

  #at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}
