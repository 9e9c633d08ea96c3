/**
 * A browser without a window, asked over the DevTools protocol: what a page knows, and what it looks like.
 */
import { join } from "@std/path";

/** A page in headless Chromium. Disposing of it ends the browser and removes its profile. */
export interface BrowserPage extends AsyncDisposable {
  /** Evaluates an expression in the page, awaits it, and returns its value as JSON has it. */
  evaluate<T>(expression: string): Promise<T>;
  /** Evaluates until the result is true. @throws {Error} After `withinMs`, with what `account` then evaluates to. */
  until(
    expression: string,
    options: { readonly withinMs: number; readonly account: string },
  ): Promise<void>;
  /** Returns a picture of the page as PNG. */
  screenshot(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Longest wait for the browser itself. */
const START_MS = 120_000;
const STEP_MS = 100;

/** Opens `url` in a browser of its own, 1280 × 960. */
export async function openPage(
  url: string,
  flags: readonly string[] = [],
): Promise<BrowserPage> {
  const profile = await Deno.makeTempDir({ prefix: "rolecall-test-" });
  const child = new Deno.Command("chromium", {
    args: [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update"],
      ...["--disable-sync", "--disable-quic", "--mute-audio"],
      ...["--autoplay-policy=no-user-gesture-required"],
      ...["--remote-debugging-port=0", "--window-size=1280,960"],
      ...flags,
      ...[`--user-data-dir=${profile}`, url],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = () => endBrowser(child, profile);
  try {
    const socket = await connect(await pageSocket(profile));
    return pageOf(socket, end);
  } catch (error) {
    await end();
    throw error;
  }
}

/** The address of the page's DevTools socket, once the browser has written its port to the profile. */
async function pageSocket(profile: string): Promise<string> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    try {
      const text = await Deno.readTextFile(join(profile, "DevToolsActivePort"));
      const port = text.split("\n")[0];
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
      const targets: { type: string; webSocketDebuggerUrl: string }[] =
        await answer.json();
      const page = targets.find(({ type }) => type === "page");
      if (page !== undefined) return page.webSocketDebuggerUrl;
    } catch { /* Not yet. */ }
    await sleep(STEP_MS);
  }
  throw new Error("The browser did not start");
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise<void>((done, failed) => {
    socket.onopen = () => done();
    socket.onerror = () => failed(new Error("The browser does not talk"));
  });
  return socket;
}

function pageOf(socket: WebSocket, end: () => Promise<void>): BrowserPage {
  const waiting = new Map<number, (message: Reply) => void>();
  let lastId = 0;
  socket.onmessage = ({ data }) => {
    const message: Reply = JSON.parse(data);
    waiting.get(message.id ?? 0)?.(message);
    waiting.delete(message.id ?? 0);
  };
  const call = async (method: string, params: object) => {
    const id = ++lastId;
    const reply = new Promise<Reply>((done) => waiting.set(id, done));
    socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await reply;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  };
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    }
    return result?.value as T;
  };
  return {
    evaluate,
    async until(expression, { withinMs, account }) {
      const last = Date.now() + withinMs;
      let failed: unknown;
      // A page that is just being loaded takes its answer away with it.
      const holds = () =>
        evaluate(expression).catch((error) => void (failed = error));
      while (await holds() !== true) {
        if (Date.now() > last) {
          const seen = JSON.stringify(await evaluate(account));
          throw new Error(`Never came true: ${expression}; ${seen}`, {
            cause: failed,
          });
        }
        await sleep(STEP_MS);
      }
    },
    async screenshot() {
      const { data } = await call("Page.captureScreenshot", { format: "png" });
      return Uint8Array.from(atob(data ?? ""), (one) => one.charCodeAt(0));
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await end();
    },
  };
}

interface Reply {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly data?: string;
    readonly result?: { readonly value: unknown };
    readonly exceptionDetails?: unknown;
  };
}

async function endBrowser(
  child: Deno.ChildProcess,
  profile: string,
): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch { /* It has ended. */ }
  await child.status;
  // Its helpers end a little later, and write to the profile until then.
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      return await Deno.remove(profile, { recursive: true });
    } catch {
      await sleep(STEP_MS);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
