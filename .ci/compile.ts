// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Makes the executable: `deno task compile` writes `dist/rolecall` for this machine, `deno task compile:all` one file
 * for each target and `dist/SHA256SUMS`.
 *
 * `deno compile` downloads a runtime for the target. Where that cannot be reached, `DENORT_BIN` names the file of this
 * machine's runtime (of the same Deno version). A target whose runtime is missing is said to be missing; the exit code
 * is 1 only when nothing could be made.
 */
import { fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { stage } from "./stage.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url).href);
const DIST = join(ROOT, "dist");
/** The program as JavaScript, from which the executables are made. */
const STAGE = join(DIST, "stage");

/** Every target and the name of its file. */
const TARGETS: readonly { readonly target: string; readonly file: string }[] = [
  { target: "x86_64-unknown-linux-gnu", file: "rolecall-linux-x86_64" },
  { target: "aarch64-unknown-linux-gnu", file: "rolecall-linux-aarch64" },
  { target: "x86_64-apple-darwin", file: "rolecall-macos-x86_64" },
  { target: "aarch64-apple-darwin", file: "rolecall-macos-aarch64" },
  { target: "x86_64-pc-windows-msvc", file: "rolecall-windows-x86_64.exe" },
];

/** What roles do: sockets, files, the environment, this machine's addresses, other processes of this program. */
const PERMISSIONS = ["net", "read", "write", "env", "sys", "run"];
/** `--engine batch` calls the C library of Linux. Who may run other programs can do no more with that. */
const LINUX_PERMISSIONS = ["ffi"];

/** Files the program reads at run time, found in the executable as they are here. */
const INCLUDED = ["scenarios", "dist/build.json"];
/** The licences of the npm packages whose code is in the executable go with it. */
const LICENSES = "npm/LICENSES";

/**
 * Options of V8 the executable runs with.
 *
 * The young generation may grow to 8 MiB and is collected when 80 % of it are used. At 20 % a role under load takes 10 to
 * 14 MiB less, at the same CPU time: what is collected is still in the processor's cache.
 *
 * V8's own threads, which compile and collect beside the program, take another 6 to 14 MiB and as much CPU time as they
 * save: a role has one thread, and a class runs many roles on a machine. With `--workers` each thread is such a role.
 *
 * Without those threads the old generation is marked by the program's own, in a hundred small tasks, and Deno runs all
 * that wait before it looks at a socket: nobody was served for 20 to 90 ms. Without the tasks marking goes on as the
 * program allocates, and under steady load there is none: the slowest of a hundred hits of an edge took 2 to 3 ms.
 */
const V8_OPTIONS = [
  "--minor-gc-task-trigger=20",
  "--single-threaded",
  "--no-incremental-marking-task",
];
/**
 * Where servers collect while they rest (lib/io/deno/idle_collector.ts), V8 need not: it begins to mark in a pause, and
 * the first requests after that wait 20 to 50 ms until it is done.
 */
const LINUX_V8_OPTIONS = ["--no-memory-reducer", "--expose-gc"];

interface Outcome {
  readonly target: string;
  readonly file: string;
  /** Why there is no file; undefined when there is one. */
  readonly failure: string | undefined;
}

/**
 * The commit these sources are of; `-dirty` when files differ from it. The lock file does not count: an older Deno
 * writes it in its own way before it gets here.
 */
async function gitCommit(): Promise<string> {
  const commit = await git("rev-parse", "--short", "HEAD");
  if (commit === undefined) return "unknown";
  const changed = await git("status", "--porcelain", "--", ".", ":!deno.lock");
  return changed === "" ? commit : `${commit}-dirty`;
}

/** What git prints; undefined without git, as in a source archive. */
async function git(...args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: [...args],
      cwd: ROOT,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Those of `options` that this Deno's V8 has: an executable with another one would not start. What it lacks is said. */
async function knownV8Options(options: readonly string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--v8-flags=--help"],
    stderr: "null",
  }).output();
  const help = new TextDecoder().decode(stdout);
  return options.filter((option) => {
    const name = option.replace(/^--(no-)?|=.*/g, "");
    const isKnown = help.includes(`  --${name} (`);
    if (!isKnown) console.log(`left out, as V8 has no ${option}`);
    return isKnown;
  });
}

async function compile(
  target: string,
  file: string,
  v8Options: readonly string[],
): Promise<Outcome> {
  const here = target === Deno.build.target;
  const env = Deno.env.toObject();
  // The runtime DENORT_BIN names is this machine's; deno would take it for any target.
  if (!here) delete env["DENORT_BIN"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "--no-code-cache",
      ...(v8Options.length > 0 ? [`--v8-flags=${v8Options.join(",")}`] : []),
      ...permissionsOf(target).map((name) => `--allow-${name}`),
      ...[...INCLUDED, LICENSES].flatMap((path) => ["--include", path]),
      ...(here ? [] : ["--target", target]),
      "--output",
      join(DIST, file),
      "main.js",
    ],
    cwd: STAGE,
    env,
    clearEnv: true,
    stdout: "null",
  }).output();
  return {
    target,
    file,
    failure: success ? undefined : reason(new TextDecoder().decode(stderr)),
  };
}

function permissionsOf(target: string): readonly string[] {
  return target.includes("linux")
    ? [...PERMISSIONS, ...LINUX_PERMISSIONS]
    : PERMISSIONS;
}

/** What kept `deno compile` from it: the download that failed, or else its own words without their stack. */
function reason(stderr: string): string {
  // deno-lint-ignore no-control-regex -- colours
  const text = stderr.replace(/\x1b\[[0-9;]*m/g, "");
  const url = /error sending request for url \((\S+?)\)/.exec(text)?.[1];
  if (url !== undefined) return `its runtime cannot be downloaded: ${url}`;
  return text.split("Stack backtrace")[0]!.replace(/\s+/g, " ").trim();
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    await Deno.readFile(path),
  );
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function report({ target, file, failure }: Outcome): Promise<void> {
  if (failure !== undefined) {
    console.log(`${target}: not made; ${failure}`);
    return;
  }
  const { size } = await Deno.stat(join(DIST, file));
  console.log(
    `${target}: dist/${file}, ${(size / 2 ** 20).toFixed(1)} MiB`,
  );
}

async function main(all: boolean): Promise<number> {
  await Deno.mkdir(DIST, { recursive: true });
  const build = { version: config.version, commit: await gitCommit() };
  await Deno.writeTextFile(join(DIST, "build.json"), JSON.stringify(build));
  console.log(
    `rolecall ${build.version}, commit ${build.commit}, Deno ${Deno.version.deno}`,
  );
  const wanted = all ? TARGETS : [{
    target: Deno.build.target,
    file: Deno.build.os === "windows" ? "rolecall.exe" : "rolecall",
  }];
  await stage(ROOT, STAGE, INCLUDED);
  const known = await knownV8Options([...V8_OPTIONS, ...LINUX_V8_OPTIONS]);
  const outcomes: Outcome[] = [];
  for (const { target, file } of wanted) {
    await Deno.remove(join(DIST, file)).catch(() => {});
    const v8Options = known.filter((option) =>
      target.includes("linux") || V8_OPTIONS.includes(option)
    );
    const outcome = await compile(target, file, v8Options);
    await report(outcome);
    outcomes.push(outcome);
  }
  await Deno.remove(STAGE, { recursive: true });
  const made = outcomes.filter(({ failure }) => failure === undefined);
  if (all) {
    const sums = await Promise.all(
      made.map(async ({ file }) =>
        `${await sha256(join(DIST, file))}  ${file}\n`
      ),
    );
    await Deno.writeTextFile(join(DIST, "SHA256SUMS"), sums.join(""));
    console.log(
      made.length === wanted.length
        ? `all ${made.length} targets made; dist/SHA256SUMS`
        : `partial: ${made.length} of ${wanted.length} targets made; dist/SHA256SUMS names those`,
    );
  }
  if (made.length > 0) return 0;
  console.error(
    "nothing was made: deno compile needs the runtime of its own version, downloaded or named by DENORT_BIN",
  );
  return 1;
}

Deno.exit(await main(Deno.args.includes("--all")));
