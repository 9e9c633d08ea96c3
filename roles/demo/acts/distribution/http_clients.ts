import { equalBytes } from "../../../../lib/core/bytes.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import { LinkedAbort } from "../../../../lib/io/linked_abort.ts";
import type { Stage } from "../../stage/stage.ts";
import { percent } from "../../stage/lecture_file.ts";

/** The file, where it is, and who wants it. */
export interface Download {
  readonly folder: string;
  readonly fileName: string;
  readonly file: Uint8Array;
  readonly clients: number;
  readonly serverBytesPerSecond: number;
  /** A client that has not got it after so long has failed. */
  readonly timeoutMs: number;
}

/** When each client had its copy, and how many copies are the file, byte by byte. */
export interface Copies {
  /** Since all asked. */
  readonly seconds: readonly number[];
  readonly whole: number;
}

/** One `origin` with a limited rate, and N clients that fetch the file at the same time. */
export async function fetchFromServer(
  options: Download,
  stage: Stage,
): Promise<Copies> {
  const { folder, fileName, file, clients } = options;
  const { clock } = stage.ctx;
  const server = stage.start(`file-server-${clients}`, [
    ...["origin", "--host", stage.machine(), "--port", "0", "--root", folder],
    ...["--limit-rate", `${options.serverBytesPerSecond}B/s`],
  ]);
  const { host, port } = await server.until("role.listening");
  const url = `http://${host}:${port}/${fileName}`;
  const startedAtMs = clock.nowMs();
  const done = await Promise.all(
    Array.from({ length: clients }, async (_, at) => {
      const copy = await download(url, `http-client-${at + 1}`, {
        ...{ stage, fileBytes: file.length, timeoutMs: options.timeoutMs },
      });
      return {
        seconds: (clock.nowMs() - startedAtMs) / 1000,
        whole: equalBytes(copy, file),
      };
    }),
  );
  await stage.end(server);
  return {
    seconds: done.map(({ seconds }) => seconds),
    whole: done.filter(({ whole }) => whole).length,
  };
}

/** Fetches the file as any HTTP client would, showing how far it is. */
async function download(
  url: string,
  name: string,
  { stage, fileBytes, timeoutMs }: {
    readonly stage: Stage;
    readonly fileBytes: number;
    readonly timeoutMs: number;
  },
): Promise<Uint8Array> {
  using end = new LinkedAbort(
    stage.ctx.signal,
    AbortSignal.timeout(timeoutMs),
  );
  const { signal } = end;
  const response = await stage.ctx.net.fetch(url, { signal });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new RunError("fetch-failed", `${url} answered ${response.status}`);
  }
  const copy = new Uint8Array(fileBytes);
  let got = 0;
  for await (const bytes of response.body) {
    copy.set(bytes.subarray(0, fileBytes - got), got);
    got = Math.min(fileBytes, got + bytes.length);
    stage.progress(name, percent(got, fileBytes));
  }
  return copy.subarray(0, got);
}
