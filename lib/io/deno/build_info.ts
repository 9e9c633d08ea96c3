import { includedPath } from "./files.ts";

/** Says which build this is: "git abc1234, Deno 2.9.6"; the commit is written into the binary by `deno task compile`. */
export async function buildInfo(): Promise<string> {
  return `git ${await gitCommit()}, Deno ${Deno.version.deno}`;
}

async function gitCommit(): Promise<string> {
  try {
    const { commit } = JSON.parse(
      await Deno.readTextFile(includedPath("dist", "build.json")),
    );
    if (Deno.build.standalone && typeof commit === "string") return commit;
  } catch { /* From source, or compiled without the task. */ }
  if (Deno.build.standalone) return "unknown";
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", includedPath("."), "describe", "--always", "--dirty"],
      stdout: "piped",
      stderr: "null",
    }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  } catch { /* No git here. */ }
  return "unknown";
}
