import { assertEquals } from "@std/assert";
import { ROOT } from "../support/sources.ts";
import { referencePages } from "./generate_docs.ts";

Deno.test("docs/reference is what `deno task docs` writes", async () => {
  for (const [name, text] of await referencePages()) {
    const page = new URL(`docs/reference/${name}`, ROOT);
    const written = (await Deno.readTextFile(page)).replaceAll("\r\n", "\n");
    assertEquals(
      written === text,
      true,
      `docs/reference/${name} is stale: run deno task docs`,
    );
  }
});
