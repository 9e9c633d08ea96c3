import { assertEquals } from "@std/assert";
import { fromUtf8 } from "../../../../lib/core/bytes.ts";
import type { Files } from "../../../../lib/io/files.ts";
import { IngestState } from "../../../../roles/origin/ingest/ingest_state.ts";

Deno.test("IngestState saves one after the other when two tracks are done at once", async () => {
  let text = "";
  let atOnce = 0;
  let most = 0;
  const files = {
    stat: () => Promise.resolve(null),
    async writeAtomic(_: string, bytes: Uint8Array) {
      most = Math.max(most, ++atOnce);
      await Promise.resolve();
      text = fromUtf8(bytes);
      atOnce -= 1;
    },
  } as unknown as Files;
  const state = await IngestState.open("title", files, {});
  await Promise.all([state.setDone("audio"), state.setDone("video_360")]);
  assertEquals(most, 1);
  assertEquals(JSON.parse(text).done, ["audio", "video_360"]);
});
