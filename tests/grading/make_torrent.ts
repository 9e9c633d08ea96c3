/**
 * Writes the file that a student's seed has to share, and its torrent: the same on every machine.
 *
 *     deno run -A tests/grading/make_torrent.ts FOLDER [ANNOUNCE-URL]
 */
import { INFO_HASH, writeShared } from "./_shared_file.ts";

if (import.meta.main) {
  const [folder, announce] = Deno.args;
  if (folder === undefined) {
    await Deno.stderr.write(
      new TextEncoder().encode(
        "usage: make_torrent.ts FOLDER [ANNOUNCE-URL]\n",
      ),
    );
    Deno.exit(2);
  }
  const { file, torrent } = await writeShared(folder, announce);
  const infoHash = Array.from(
    INFO_HASH,
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
  await Deno.stdout.write(
    new TextEncoder().encode(`${file}\n${torrent}\ninfo-hash ${infoHash}\n`),
  );
}
