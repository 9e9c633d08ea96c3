/** What bash makes of the words that `rolecall completions bash` gives it. */
import { assertEquals } from "@std/assert";
import { runProgram, runTool } from "../support/program.ts";

Deno.test("bash completes roles, flags and their words, with and without --role", async () => {
  const { stdout: script } = await runProgram(["completions", "bash"]);
  for (
    const [words, expected] of [
      ["das", "dash-client dashboard"],
      ["--role ed", "edge"],
      ["peer --pi", "--picker --piece-length"],
      ["--role peer --picker r", "rarest random"],
      ["completions z", "zsh"],
    ] as const
  ) {
    const { stdout, stderr } = await runTool("bash", [
      "-c",
      `${script}
      COMP_WORDS=(rolecall ${words}) COMP_CWORD=${words.split(" ").length}
      _rolecall; echo "\${COMPREPLY[*]}"`,
    ]);
    assertEquals([stdout, stderr], [`${expected}\n`, ""], words);
  }
});
