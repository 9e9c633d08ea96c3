// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Lets an edge work for long, with eviction on both tiers, and looks whether it gives a wrong byte or grows.
 *
 *     deno run -A bench/soak.ts [--minutes N] [--memory SIZE] [--seed N] [--engine portable]
 *
 * 10 minutes unless told otherwise. An origin has 4,000 objects of 1 to 256 KiB, half a GiB together; the edge has 32 MiB of
 * memory and 96 MiB of disk. wrk asks as fast as it can, by a law like Zipf's. Eight clients of our own ask as well, for all
 * or for a range, now and then purge, or leave in the middle, and compare the SHA-256 of each body they read to the end
 * with what it must be. The origin breaks off every fiftieth body, of every second of them it has the rest, and its answers
 * are fresh for 20 s. Every 10 s a line tells how it stands; the last one says whether all is well: no wrong byte, hardly
 * an answer that the origin could not be reached, no more memory in the last quarter than in the second (8 % of slack), as
 * many open files at the end as at the beginning, but for connections to the origin.
 *
 * Linux with wrk.
 */
import { seededRng } from "../lib/core/rng.ts";
import { median } from "./edge_clients.ts";
import { startOurs } from "./edge_servers.ts";
import { memoryKib, openFiles } from "./proc.ts";

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? otherwise;
}

const MINUTES = Number(option("minutes", "10"));
const OBJECTS = 4000;
const TOKEN = "soak";
const rng = seededRng(Number(option("seed", "1")));

/** Out of which all bodies are cut. */
const noise = new Uint8Array(2 ** 20);
for (let at = 0; at < noise.length; at++) noise[at] = Math.floor(rng() * 256);

/** The body of an object: another one for each. */
function bodyOf(n: number): Uint8Array<ArrayBuffer> {
  const size = 1024 + (n * 7919) % (255 * 1024);
  const from = (n * 104_729) % (noise.length - size - 1);
  return noise.subarray(from, from + size);
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16)).join();
}

/** Every so many bodies break off. */
const BREAKS = 50;
let served = 0;

function startOrigin() {
  return Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, (request) => {
    const n = Number(new URL(request.url).pathname.slice(1));
    const bytes = bodyOf(n);
    const etag = `"${n}"`;
    const headers = { "cache-control": "max-age=20", etag };
    if (request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers });
    }
    const from = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1];
    if (from !== undefined && request.headers.get("if-range") === etag) {
      const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      return new Response(bytes.subarray(Number(from)), {
        status: 206,
        headers: { ...headers, "content-range": range },
      });
    }
    served += 1;
    if (served % BREAKS !== 0) return new Response(bytes, { headers });
    let isFirst = true;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (isFirst) controller.enqueue(bytes.subarray(0, 500));
          else controller.error(new Error("breaks off"));
          isFirst = false;
        },
      }),
      {
        headers: {
          ...headers,
          "content-length": String(bytes.length),
          // With a weak tag nobody may ask for the rest.
          etag: served % (2 * BREAKS) === 0 ? `W/${etag}` : etag,
        },
      },
    );
  });
}

/** What the edge may keep open beyond what it began with: a connection to its origin for each of the clients there were, and a few files. */
const SPARE_FILES = 24 + 8;
/** So many of the answers may be 502 to 504: the origin runs in this process, and on a busy machine is late. */
const REFUSED_SHARE = 0.001;

const sums = {
  checked: 0,
  ranges: 0,
  cut: 0,
  left: 0,
  purged: 0,
  refused: 0,
  wrong: 0,
};

/** Few are asked for often, and each now and then. */
function drawn(): number {
  return Math.floor(OBJECTS * rng() ** 4);
}

/** Asks once, in one of the ways that clients have, and checks what comes. */
async function askOnce(url: string): Promise<void> {
  const n = drawn();
  const dice = rng();
  const whole = bodyOf(n);
  if (dice < 0.005) {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${url}/${n}`, { method: "PURGE", headers });
    await answer.body?.cancel();
    sums.purged += 1;
    return;
  }
  if (dice < 0.03) {
    const answer = await fetch(`${url}/${n}`);
    const reader = answer.body!.getReader();
    await reader.read();
    await reader.cancel();
    sums.left += 1;
    return;
  }
  const isRange = dice < 0.2;
  const first = Math.floor(rng() * whole.length / 2);
  const last = first + Math.floor(rng() * (whole.length - first));
  const answer = await fetch(
    `${url}/${n}`,
    isRange ? { headers: { range: `bytes=${first}-${last}` } } : {},
  );
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (answer.status >= 502 && answer.status <= 504) {
    sums.refused += 1;
    return;
  }
  const expected = answer.status === 206
    ? whole.subarray(first, last + 1)
    : whole;
  const isRight = (answer.status === 200 || answer.status === 206) &&
    await digestOf(bytes) === await digestOf(expected);
  if (isRight) sums[isRange ? "ranges" : "checked"] += 1;
  else {
    sums.wrong += 1;
    console.log(`WRONG: ${answer.status} /${n}, ${bytes.length} bytes`);
  }
}

async function client(url: string, until: number): Promise<void> {
  while (performance.now() < until) {
    try {
      await askOnce(url);
    } catch {
      // The origin broke off, and the edge did not hide it.
      sums.cut += 1;
    }
  }
}

const LUA = `
math.randomseed(7)
request = function()
  return wrk.format("GET", "/" .. math.floor(${OBJECTS} * math.random() ^ 4))
end
`;

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rolecall-soak-" });
  const origin = startOrigin();
  const edge = await startOurs(`http://127.0.0.1:${origin.addr.port}`, [
    ...`--cache-size ${option("memory", "32MiB")} --disk-size 96MiB`.split(" "),
    "--cache-dir",
    `${folder}/cache`,
    "--purge-token",
    TOKEN,
    "--access-log",
    `${folder}/access.log`,
    "--engine",
    option("engine", "auto"),
  ]);
  const url = `http://127.0.0.1:${edge.port}`;
  await Deno.writeTextFile(`${folder}/paths.lua`, LUA);
  const filesBefore = openFiles(edge.pid);
  const until = performance.now() + MINUTES * 60_000;
  const wrk = new Deno.Command("wrk", {
    args: ["-t1", "-c16", `-d${Math.round(MINUTES * 60)}s`, "-s"]
      .concat([`${folder}/paths.lua`, url]),
  }).output();
  const clients = Array.from({ length: 8 }, () => client(url, until));
  const readings: number[] = [];
  const files: number[] = [];
  let checked = 0;
  // So often none of the clients got anything for 10 s, as when purges are not answered.
  let stoodStill = 0;
  for (let second = 10; performance.now() < until - 1000; second += 10) {
    await new Promise((go) => setTimeout(go, 10_000));
    readings.push(memoryKib(edge.pid, "VmRSS"));
    files.push(openFiles(edge.pid));
    if (sums.checked === checked) stoodStill += 1;
    checked = sums.checked;
    console.log(
      `${String(second).padStart(4)} s  ${
        (readings.at(-1)! / 1024).toFixed(0).padStart(4)
      } MiB  ${files.at(-1)} files  ${
        Object.entries(sums).map(([name, n]) => `${name} ${n}`).join("  ")
      }`,
    );
  }
  await Promise.all(clients);
  const { stdout } = await wrk;
  console.log(new TextDecoder().decode(stdout).trim());
  const quarter = (n: number) =>
    median(readings.slice(
      Math.floor(n * readings.length / 4),
      Math.floor((n + 1) * readings.length / 4),
    ));
  const [early, now] = [quarter(1), quarter(3)];
  // Without clients: what is still open is the edge's own.
  await new Promise((go) => setTimeout(go, 2000));
  const filesNow = openFiles(edge.pid);
  const grows = now > 1.08 * early;
  const leaks = filesNow > filesBefore + SPARE_FILES;
  // An edge that refuses everything has nothing wrong either.
  const refuses = sums.refused > REFUSED_SHARE * (sums.checked + sums.ranges);
  const isWell = sums.wrong === 0 && sums.checked > sums.cut && !refuses &&
    !grows && !leaks && stoodStill === 0;
  console.log(
    `${isWell ? "all is well" : "NOT WELL"}: ${
      sums.checked + sums.ranges
    } bodies checked, ${sums.wrong} wrong, ${sums.refused} refused; ${
      (early / 1024).toFixed(0)
    } MiB, then ${
      (now / 1024).toFixed(0)
    } MiB; ${filesBefore} open files before the clients, ${filesNow} after them; clients stood still ${stoodStill} times`,
  );
  await edge[Symbol.asyncDispose]();
  await origin.shutdown();
  await Deno.remove(folder, { recursive: true });
  if (!isWell) Deno.exit(1);
}

await main();
