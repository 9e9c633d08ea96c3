import { assertEquals, assertRejects } from "@std/assert";
import { join, resolve } from "@std/path";
import { InputError } from "../../../../lib/core/errors.ts";
import type { Files, FileStat } from "../../../../lib/io/files.ts";
import { sourcesOf } from "../../../../roles/peer/making/sources.ts";

const ROOT = resolve("folder");

/** A folder with these entries; those without a kind are listed and cannot be found by their name. */
function folderOf(
  entries: Readonly<
    Record<
      string,
      { readonly listed: FileStat["kind"]; readonly is?: FileStat["kind"] }
    >
  >,
): Files {
  const stat = (path: string) => {
    const kind = path === ROOT
      ? "folder"
      : Object.entries(entries).find(([name]) => join(ROOT, name) === path)?.[1]
        .is;
    return Promise.resolve(kind === undefined ? null : { kind, sizeBytes: 1 });
  };
  const list = () =>
    Promise.resolve(
      Object.entries(entries).map(([name, { listed }]) => ({
        name,
        kind: listed,
      })),
    );
  return { stat, list } as unknown as Files;
}

function namesOf(files: Files, links: "skip" | "follow" = "skip") {
  const except = join(ROOT, "folder.torrent");
  return sourcesOf(ROOT, { hidden: false, links, except }, files)
    .then((sources) => sources.map(({ path }) => path.join("/")));
}

Deno.test("sourcesOf leaves out the torrent that is being made, so that it is the same when made again", async () => {
  const file = { listed: "file", is: "file" } as const;
  const files = folderOf({ a: file, "folder.torrent": file, b: file });
  assertEquals(await namesOf(files), ["a", "b"]);
});

Deno.test("sourcesOf says what it cannot put in: a name that is not UTF-8, a link that leads nowhere", async () => {
  const file = { listed: "file", is: "file" } as const;
  await assertRejects(
    () => namesOf(folderOf({ a: file, "b\ufffd": { listed: "file" } })),
    InputError,
    "not UTF-8",
  );
  const dangling = folderOf({ a: file, b: { listed: "link" } });
  assertEquals(await namesOf(dangling), ["a"]);
  await assertRejects(
    () => namesOf(dangling, "follow"),
    InputError,
    "leads nowhere",
  );
});
