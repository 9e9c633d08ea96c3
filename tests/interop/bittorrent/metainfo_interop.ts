/**
 * The torrents we make beside those of mktorrent, transmission-create and libtorrent, byte for byte in their info
 * dictionaries; and libtorrent reads ours.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { decodeBencodeDictionary } from "../../../lib/bittorrent/bencode.ts";
import { toHex } from "../../../lib/core/bytes.ts";
import { writeNoise } from "../../support/noise.ts";
import { runProgram, runTool, temporaryFolder } from "../../support/program.ts";

const PYTHON = "/usr/bin/python3";
const FILES: Readonly<Record<string, number>> = {
  "course/a.bin": 100_000,
  "course/sub/deep/b": 16_384,
  "course/sub/next": 70_000,
  "course/tiny": 3,
  "course/z": 600_000,
};

async function makeCourse(folder: string): Promise<string> {
  await writeNoise(folder, FILES, 6);
  return join(folder, "course");
}

async function infoOf(torrent: string): Promise<string> {
  const bytes = await Deno.readFile(torrent);
  return toHex(decodeBencodeDictionary(bytes).raw.get("info")!);
}

async function ours(
  source: string,
  torrent: string,
  args: readonly string[],
): Promise<string> {
  const { code, stderr } = await runProgram([
    ...["peer", "--create", source, "-o", torrent],
    ...["--piece-length", "64KiB", ...args],
  ]);
  assertEquals(code, 0, stderr);
  return await infoOf(torrent);
}

/** Makes a torrent with libtorrent's create_torrent. */
async function libtorrent(
  source: string,
  torrent: string,
  flags: string,
): Promise<string> {
  const script = `
import libtorrent as lt, os
files = lt.file_storage()
lt.add_files(files, ${JSON.stringify(source)})
made = lt.create_torrent(files, 65536, ${flags})
lt.set_piece_hashes(made, os.path.dirname(${JSON.stringify(source)}))
open(${JSON.stringify(torrent)}, "wb").write(lt.bencode(made.generate()))`;
  const { code, stderr } = await runTool(PYTHON, ["-c", script]);
  assertEquals(code, 0, stderr);
  return await infoOf(torrent);
}

Deno.test("peer --create writes the info dictionary of mktorrent and transmission-create", async () => {
  await using folder = await temporaryFolder();
  const source = await makeCourse(folder.path);
  const tracker = "http://10.0.0.1/announce";
  for (const from of [source, join(source, "z")]) {
    const at = (name: string) => join(folder.path, `${name}.torrent`);
    const mine = await ours(from, at("ours"), []);
    const made = await runTool("mktorrent", [
      ...["-l", "16", "-a", tracker, "-o", at("mktorrent"), from],
    ]);
    assertEquals(made.code, 0, made.stderr);
    assertEquals(await infoOf(at("mktorrent")), mine);
    await Deno.remove(at("mktorrent"));
    const private_ = await ours(from, at("ours"), ["--private"]);
    const other = await runTool("transmission-create", [
      ...["-p", "-s", "64", "-t", tracker, "-o", at("transmission"), from],
    ]);
    assertEquals(other.code, 0, other.stderr);
    assertEquals(await infoOf(at("transmission")), private_);
  }
});

for (
  const [format, flags] of [["v2", "lt.create_torrent.v2_only"], [
    "hybrid",
    "0",
  ]] as const
) {
  Deno.test(`peer --create --format ${format} writes the info dictionary of libtorrent`, async () => {
    await using folder = await temporaryFolder();
    const source = await makeCourse(folder.path);
    await Deno.writeFile(join(source, "empty"), new Uint8Array());
    await Deno.writeFile(join(source, "ü"), new Uint8Array(9));
    for (const from of [source, join(source, "z")]) {
      const at = (name: string) => join(folder.path, `${name}.torrent`);
      assertEquals(
        await ours(from, at("ours"), ["--format", format]),
        await libtorrent(from, at("libtorrent"), flags),
      );
    }
  });
}

Deno.test("libtorrent reads the torrents we make, and we show the hashes and roots it has", async () => {
  await using folder = await temporaryFolder();
  const source = await makeCourse(folder.path);
  const torrent = join(folder.path, "ours.torrent");
  for (const format of ["v1", "v2", "hybrid"]) {
    await ours(source, torrent, ["--format", format]);
    const script = `
import libtorrent as lt, json
info = lt.torrent_info(${JSON.stringify(torrent)})
files = info.files()
print(json.dumps({
  "v1": str(info.info_hashes().v1), "v2": str(info.info_hashes().v2), "pieces": info.num_pieces(),
  "files": [[files.file_path(i), files.file_size(i)] for i in range(files.num_files()) if not files.file_flags(i) & files.flag_pad_file],
}))`;
    const { stdout, stderr } = await runTool(PYTHON, ["-c", script]);
    const theirs = JSON.parse(stdout || stderr);
    const shown = await runProgram(["peer", "--inspect", torrent, "--json"]);
    const mine = JSON.parse(shown.stdout);
    assertEquals(theirs.v1, format === "v2" ? "0".repeat(40) : mine.infoHash);
    assertEquals(theirs.v2, mine.infoHashV2 ?? "0".repeat(64));
    assertEquals(theirs.pieces, mine.pieceCount);
    assertEquals(
      theirs.files,
      mine.files.filter((file: { padding?: boolean }) => !file.padding)
        .map((
          file: { path: string; bytes: number },
        ) => [file.path, file.bytes]),
    );
  }
});
