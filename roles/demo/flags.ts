import { flag, flagKind, neverWith, onlyWith } from "../../lib/cli/flags.ts";
import { kebab } from "../../lib/cli/role_shape.ts";
import { InputError } from "../../lib/core/errors.ts";
import { formatMs, parseDurationMs } from "../../lib/core/units.ts";
import { TRACE_NAMES, type TraceName } from "../../lib/model/trace_catalog.ts";
import {
  type Act,
  type DnsAct,
  MAX_DNS_CLIENTS,
  MAX_PROCESSES,
  MAX_SIMULATED,
  MAX_TTLS,
  MIN_HEALTH_MS,
} from "./scenario/scenario.ts";
import { type EdgeAct, MAX_CROWD } from "./scenario/edge_act.ts";
import {
  checkMediaMs,
  MAX_PLAYERS,
  type StreamingAct,
} from "./scenario/streaming_act.ts";

/** The flags that change a scenario's main numbers. */
export const NUMBERS_FLAGS = {
  clients: flag.counts({
    help:
      "Clients (N); for `distribution` several, such as 1,2,5,10; for `streaming` those behind the bottleneck",
  }),
  file: flag.size({ help: "The file's size (F)" }),
  serverUpload: flag.byteRate({
    help:
      "What the server, or the first seed, sends at most (u_s); for `streaming` the bottleneck",
  }),
  peerUpload: flag.byteRate({ help: "What each client sends at most (u)" }),
  freeRiders: flag.count({ help: "`tit-for-tat`: peers that only take" }),
  ttl: flagKind("TIME,TIME", parseTtls)({
    help:
      "`dns`: how long answers may be kept, whole seconds; several are compared, such as 2s,8s",
  }),
  healthInterval: flag.duration({
    help: "`dns`: time between two checks of an edge",
  }),
  trace: flag.choice(TRACE_NAMES, {
    help: "`streaming`: the network that each player has for itself",
  }),
  duration: flag.duration({
    help: "`streaming`: how much is played on that network",
  }),
};

/** Times in whole seconds, such as `2s,8s`; each is taken once, in rising order. */
function parseTtls(text: string): readonly number[] {
  const seconds = text.split(",").map((part) =>
    parseDurationMs(part.trim()) / 1000
  );
  const { count, seconds: most } = MAX_TTLS;
  const rising = [...new Set(seconds)].sort((a, b) => a - b);
  if (
    rising.length <= count &&
    rising.every((ttl) => Number.isInteger(ttl) && ttl >= 1 && ttl <= most)
  ) return rising;
  throw new RangeError(
    `must be 1 to ${count} times in whole seconds up to ${
      formatMs(1000 * most)
    }, such as 2s,8s, got "${text}"`,
  );
}

/** The flags of a demo that is played by programs: in virtual time there are none. */
export const PROGRAMS_FLAGS = neverWith(["simulate"], {
  on: flag.list(flag.hostPort({
    help:
      "Plays on this machine of the lab too, where `demo --stand-by` runs: programs that listen are started there",
  })),
  ...onlyWith("on", {
    token: flag.text({
      help: "What the machines of --on ask for",
      secret: true,
    }),
  }),
  watchable: flag.toggle({
    help:
      "Lets `rolecall dashboard` on this machine show what every program does",
  }),
  keep: flag.toggle({
    help: "Keep the folder with the programs' files and event logs",
  }),
});

/** What {@linkcode NUMBERS_FLAGS} and --simulate parse to. */
export interface Numbers {
  readonly clients: readonly number[] | undefined;
  readonly file: number | undefined;
  readonly serverUpload: number | undefined;
  readonly peerUpload: number | undefined;
  readonly freeRiders: number | undefined;
  readonly ttl: readonly number[] | undefined;
  readonly healthInterval: number | undefined;
  readonly trace: TraceName | undefined;
  readonly duration: number | undefined;
  readonly simulate: boolean;
  /** The scenario, as it was typed. */
  readonly operand: string;
}

/**
 * Puts the numbers of the command line in the place of the scenario's.
 *
 * @throws {InputError} If no act has such a number, or it is out of range.
 */
export function withNumbers(
  acts: readonly Act[],
  numbers: Numbers,
): readonly Act[] {
  for (const name of Object.keys(NUMBERS_FLAGS) as (keyof Numbers)[]) {
    if (numbers[name] === undefined || acts.some((act) => takes(act, name))) {
      continue;
    }
    throw new InputError(`--${kebab(name)} means nothing to this scenario`);
  }
  return acts.map((act) => {
    if (act.act === "dns") return withDns(act, numbers);
    if (act.act === "streaming") return withStreaming(act, numbers);
    if (act.act === "edge") return withCrowd(act, numbers);
    if (!("peerBytesPerSecond" in act)) return act;
    const { file, serverUpload, peerUpload } = numbers;
    for (
      const [name, value] of Object.entries({ file, serverUpload, peerUpload })
    ) {
      if (value === 0) throw new InputError(`--${kebab(name)} must be above 0`);
    }
    return withClients({
      ...act,
      fileBytes: file ?? act.fileBytes,
      serverBytesPerSecond: serverUpload ?? act.serverBytesPerSecond,
      peerBytesPerSecond: peerUpload ?? act.peerBytesPerSecond,
      ...act.act === "tit-for-tat"
        ? { freeRiders: numbers.freeRiders ?? act.freeRiders }
        : {},
    }, numbers);
  });
}

function withClients<A extends Act>(act: A, numbers: Numbers): A {
  const { clients, simulate } = numbers;
  if (clients === undefined) return act;
  const most = simulate ? MAX_SIMULATED : MAX_PROCESSES;
  const top = clients.at(-1)!;
  if (clients[0] === 0 || top > most) {
    throw new InputError(
      `--clients must be 1 to ${most}${
        simulate ? "" : " (more with --simulate)"
      }, got ${clients[0] === 0 ? 0 : top}`,
    );
  }
  if (act.act === "distribution") {
    return simulate
      ? { ...act, simulated: { ...act.simulated, leeches: clients } }
      : { ...act, leeches: clients };
  }
  return { ...act, leeches: oneCount(numbers, top, [2, most]) };
}

/** The one number of --clients, from `least` to `most`; without it `usual`. */
function oneCount(
  { clients, operand }: Numbers,
  usual: number,
  [least, most]: readonly [number, number],
): number {
  const [count = usual, ...more] = clients ?? [];
  if (more.length === 0 && count >= least && count <= most) return count;
  throw new InputError(
    `--clients must be one number from ${least} to ${most} in ${operand}, got ${
      clients?.join(",")
    }`,
  );
}

function withDns(act: DnsAct, numbers: Numbers): DnsAct {
  const { ttl, healthInterval = act.healthIntervalMs } = numbers;
  const clients = oneCount(numbers, act.clients, [1, MAX_DNS_CLIENTS]);
  if (healthInterval < MIN_HEALTH_MS) {
    throw new InputError(
      `--health-interval must be at least ${formatMs(MIN_HEALTH_MS)}, got ${
        formatMs(healthInterval)
      }`,
    );
  }
  return {
    ...act,
    clients,
    healthIntervalMs: healthInterval,
    ttlSeconds: ttl ?? act.ttlSeconds,
  };
}

function withStreaming(act: StreamingAct, numbers: Numbers): StreamingAct {
  const { serverUpload, trace, duration } = numbers;
  const players = oneCount(numbers, act.shared.players, [2, MAX_PLAYERS]);
  if (serverUpload === 0) {
    throw new InputError("--server-upload must be above 0");
  }
  const mediaMs = duration ?? act.mediaMs;
  try {
    checkMediaMs(mediaMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`--duration ${error.message}`);
  }
  const bytesPerSecond = serverUpload ?? act.shared.bytesPerSecond;
  return {
    ...{ ...act, mediaMs, trace: trace ?? act.trace },
    shared: { ...act.shared, players, bytesPerSecond },
  };
}

function withCrowd(act: EdgeAct, numbers: Numbers): EdgeAct {
  const { serverUpload } = numbers;
  const clients = oneCount(numbers, act.clients, [2, MAX_CROWD]);
  if (serverUpload === 0) {
    throw new InputError("--server-upload must be above 0");
  }
  return {
    ...act,
    clients,
    serverBytesPerSecond: serverUpload ?? act.serverBytesPerSecond,
  };
}

/** What acts without a swarm take. */
const TAKES: Partial<Readonly<Record<Act["act"], readonly (keyof Numbers)[]>>> =
  {
    dns: ["clients", "ttl", "healthInterval"],
    edge: ["clients", "serverUpload"],
    streaming: ["clients", "serverUpload", "trace", "duration"],
  };

function takes(act: Act, name: keyof Numbers): boolean {
  if (!("peerBytesPerSecond" in act)) {
    return TAKES[act.act]?.includes(name) ?? false;
  }
  return ["clients", "file", "serverUpload", "peerUpload"].includes(name) ||
    name === "freeRiders" && act.act === "tit-for-tat";
}
