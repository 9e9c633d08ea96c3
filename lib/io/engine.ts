import type { RolecallEvent } from "../events/mod.ts";

/**
 * How a server's sockets are read and written: by the runtime's calls (`portable`), many with one system call (`batch`),
 * or as it goes best here (`auto`).
 */
export type Engine = "auto" | "portable" | "batch";

/** What {@linkcode Net.serveHttp} and {@linkcode UdpSocket.serve} are given for an engine. */
export interface EngineOptions {
  readonly cannotBatch?: (reason: string) => void;
}

/** Returns what the sockets of a role are given for `engine`; where one that was asked for cannot be had, that is told once. */
export function engineOptions(
  engine: Engine,
  ctx: { emit(event: RolecallEvent): void },
): EngineOptions {
  if (engine === "portable") return {};
  if (engine === "auto") return { cannotBatch() {} };
  let isTold = false;
  return {
    cannotBatch(reason) {
      if (isTold) return;
      isTold = true;
      ctx.emit({ type: "engine.rejected", engine, reason });
    },
  };
}
