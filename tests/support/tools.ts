/** A port of this machine that nobody listens on now; for tools that cannot choose one themselves. */
export function freePort(hostname = "127.0.0.1"): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** A tool that runs, unheard, until it is disposed of. @param options.stop What ends it; who has children needs SIGTERM, and is made to end after 10 s. */
export function startTool(
  command: readonly string[],
  { env = {}, stop = "SIGKILL" }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly stop?: "SIGTERM" | "SIGKILL";
  } = {},
): AsyncDisposable {
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    env: { ...env },
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      const kill = (signal: Deno.Signal) => {
        try {
          child.kill(signal);
        } catch { /* It has ended. */ }
      };
      kill(stop);
      const late = setTimeout(() => kill("SIGKILL"), 10_000);
      await child.status;
      clearTimeout(late);
    },
  };
}
