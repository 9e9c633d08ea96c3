/** What the shells make of their completion scripts: lines are typed at a terminal, with TAB at the end. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runProgram, runTool, temporaryFolder } from "../../support/program.ts";

/** What is typed before TAB, and what stands there after it, where there is one way to go on; else the line stays as it is. */
const COMPLETED = [
  ["dash-", "dash-client"],
  ["--role ed", "--role edge"],
  ["help tr", "help tracker"],
  ["completions z", "completions zsh"],
  ["peer --pic", "peer --picker"],
  ["--role peer --pic", "--role peer --picker"],
  ["peer --picker rar", "peer --picker rarest"],
  ["--role peer --picker rar", "--role peer --picker rarest"],
  ["peer --picker=rar", "peer --picker=rarest"],
  ["peer mov", "peer movie.torrent"],
  ["peer --dir mov", "peer --dir movie.torrent"],
  ["demo rar", "demo rarest-first"],
  ["demo mov", "demo movie.torrent"],
  // No file is wanted there.
  ["udp-echo mov", "udp-echo mov"],
  ["udp-echo --port mov", "udp-echo --port mov"],
] as const;

/** How a shell is started at a terminal without a person's settings. */
const SHELLS = [
  ["bash", "bash --norc --noprofile -i"],
  ["zsh", "zsh -f -i"],
] as const;

for (const [shell, command] of SHELLS) {
  Deno.test(`${shell} completes roles, flags, their words and files`, async () => {
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(join(folder.path, "movie.torrent"), "");
    const { stdout: script } = await runProgram(["completions", shell]);
    await Deno.writeTextFile(join(folder.path, ".script"), script);
    // In the place of the program, a function that says what it was given.
    const typed = [
      "source ./.script",
      'rolecall() { echo GIVEN "$*" >> given; }',
      ...COMPLETED.map(([before]) => `rolecall ${before}\t`),
      "exit",
    ];
    await runTool("script", ["-qec", command, "/dev/null"], {
      stdin: `${typed.join("\n")}\n`,
      cwd: folder.path,
      env: { TERM: "dumb", HOME: folder.path },
    });
    const given = await Deno.readTextFile(join(folder.path, "given"));
    assertEquals(
      given.trim().split("\n"),
      COMPLETED.map(([, after]) => `GIVEN ${after}`),
    );
  });
}

Deno.test("fish completes roles, flags, their words and files", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "movie.torrent"), "");
  const { stdout: script } = await runProgram(["completions", "fish"]);
  await Deno.writeTextFile(join(folder.path, ".script"), script);
  const asked = COMPLETED.map(([before]) =>
    `echo (complete -C 'rolecall ${before}' | cut -f1)`
  );
  const { stdout, stderr } = await runTool("fish", [
    ...["--no-config", "-c", `source .script; ${asked.join("; ")}`],
  ], { cwd: folder.path, env: { HOME: folder.path } });
  assertEquals(
    [stdout.split("\n").slice(0, -1), stderr],
    [
      COMPLETED.map(([before, after]) =>
        before === after ? "" : after.split(" ").at(-1)!
      ),
      "",
    ],
  );
});
