import { type Flag, flag, type HostPort, onlyWith } from "../cli/flags.ts";

/** What the flags of both echo clients parse to. */
export interface EchoClientFlags {
  readonly connect: HostPort | undefined;
  readonly message: string | undefined;
  /** Not undefined: ping so many times. */
  readonly count: number | undefined;
  /** Milliseconds from one ping to the next. */
  readonly interval: number;
  /** Milliseconds to wait for an echo. */
  readonly timeout: number;
}

/** The flags of both echo clients; `timeout` is said by each. */
export function echoClientFlags(
  timeout: { readonly default: string; readonly help: string },
): { readonly [K in keyof EchoClientFlags]: Flag<EchoClientFlags[K]> } {
  return {
    connect: flag.hostPort({ help: "The server to talk to" }),
    message: flag.text({
      mayBeEmpty: true,
      help: "What to send; with --count a number follows it",
    }),
    count: flag.count({
      help: "Pings so many times and prints round-trip times and loss",
    }),
    ...onlyWith("count", {
      interval: flag.duration({
        default: "1s",
        help: "Time from one ping to the next",
      }),
    }),
    timeout: flag.duration(timeout),
  };
}
