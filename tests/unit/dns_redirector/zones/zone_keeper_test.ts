import { assert, assertEquals } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { parseName } from "../../../../lib/dns/name.ts";
import type { ZoneFlagValues } from "../../../../roles/dns_redirector/zones/zone_flags.ts";
import { ZoneKeeper } from "../../../../roles/dns_redirector/zones/zone_keeper.ts";
import { roleContext } from "../../../support/role_context.ts";

const HEAD = "$ORIGIN a.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

/** A keeper of one file in memory, and the means to change it. */
async function start() {
  const stop = new AbortController();
  const file = { text: `${HEAD}www A 10.0.0.1\n`, modifiedAtWallMs: 1 };
  /** Another file, which `text` may include. */
  const hosts = { text: "", modifiedAtWallMs: 1 };
  let hangUp: (() => void) | undefined;
  const at = (path: string) => path === "hosts.inc" ? hosts : file;
  const ctx = roleContext({
    signal: stop.signal,
    files: {
      read(path: string) {
        assert(hangUp !== undefined, "SIGHUP would end us");
        return at(path).text === ""
          ? Promise.reject(new RunError("not-found", "no such file"))
          : Promise.resolve(utf8(at(path).text));
      },
      stat: (path: string) =>
        Promise.resolve(
          at(path).text === "" ? null : {
            ...{ kind: "file", allocatedBytes: null },
            sizeBytes: at(path).text.length,
            modifiedAtWallMs: at(path).modifiedAtWallMs,
          },
        ),
    },
    processes: {
      onHangUp(listener) {
        hangUp = listener;
        return { [Symbol.dispose]: () => void (hangUp = undefined) };
      },
    },
  });
  const { clock, events } = ctx;
  const flags = {
    ...{ host: "", zone: ["a.zone"], domain: [], edge: [], site: [] },
    ...{ cname: [], policy: undefined, ttl: undefined },
  } as unknown as ZoneFlagValues;
  const keeper = await ZoneKeeper.open(flags, ctx);
  const has = (name: string) =>
    keeper.zones.find(parseName(name))?.node !== undefined;
  const watching = keeper.watch();
  return {
    ...{ clock, events, file, hosts, keeper, has },
    hangUp: () => hangUp?.(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
      assertEquals(hangUp, undefined);
    },
  };
}

Deno.test("ZoneKeeper reads a changed file once nobody writes it any more", async () => {
  await using setup = await start();
  const { clock, events, file, has } = setup;
  await clock.advanceTo(5000);
  assertEquals(events, []);
  file.text = `${HEAD}new A 10.0.0.1\n`;
  file.modifiedAtWallMs = 2;
  await clock.advanceTo(5500);
  assert(!has("new.a.example"));
  await clock.advanceTo(6000);
  assert(has("new.a.example") && !has("www.a.example"));
  assertEquals(events.map((event) => event.type), ["zone.loaded"]);
});

Deno.test("ZoneKeeper keeps the old zones when a file is broken or gone, and says which line", async () => {
  await using setup = await start();
  const { clock, events, file, has } = setup;
  file.text = `${HEAD}www A 10.0.0\n`;
  await clock.advanceTo(5000);
  file.text = "";
  await clock.advanceTo(10_000);
  assert(has("www.a.example"));
  const reasons = events.map((event) =>
    event.type === "zones.rejected" ? event.reason : event.type
  );
  assertEquals(reasons, [
    '--zone a.zone: line 5: must be an address such as 127.0.0.3 or 2001:db8::1, got "10.0.0"',
    "--zone a.zone: no such file",
  ]);
  file.text = `${HEAD}back A 10.0.0.1\n`;
  await clock.advanceTo(12_000);
  assert(has("back.a.example"));
});

Deno.test("ZoneKeeper reads a zone again when a file it includes has changed", async () => {
  await using setup = await start();
  const { clock, events, file, hosts, has } = setup;
  hosts.text = "one A 10.0.0.1\n";
  file.text = `${HEAD}$INCLUDE hosts.inc in\nlast A 10.0.0.9\n`;
  await clock.advanceTo(5000);
  assert(has("one.in.a.example") && has("last.a.example"));
  hosts.text = "two A 10.0.0.2\n";
  hosts.modifiedAtWallMs = 2;
  await clock.advanceTo(10_000);
  assert(has("two.in.a.example") && !has("one.in.a.example"));
  hosts.text = "two A 10.0.0\n";
  hosts.modifiedAtWallMs = 3;
  await clock.advanceTo(15_000);
  assert(has("two.in.a.example"));
  const last = events.at(-1)!;
  assertEquals(
    last.type === "zones.rejected" && last.reason,
    '--zone a.zone: line 5: hosts.inc, line 1: must be an address such as 127.0.0.3 or 2001:db8::1, got "10.0.0"',
  );
});

Deno.test("ZoneKeeper reads a zone again when a file is mended or there that it could not include before", async () => {
  for (const broken of ["", "one A 10.0.0\n"]) {
    await using setup = await start();
    const { clock, events, file, hosts, has } = setup;
    hosts.text = broken;
    file.text = `${HEAD}$INCLUDE hosts.inc in\n`;
    await clock.advanceTo(5000);
    assertEquals(events.map(({ type }) => type), ["zones.rejected"]);
    assert(has("www.a.example"));
    hosts.text = "one A 10.0.0.1\n";
    hosts.modifiedAtWallMs = 2;
    await clock.advanceTo(10_000);
    assert(has("one.in.a.example"), broken);
  }
});

Deno.test("ZoneKeeper reads again at SIGHUP, although the file looks the same", async () => {
  await using setup = await start();
  const { clock, events, file, keeper, has } = setup;
  const tables: unknown[] = [];
  keeper.follow((zones) => void tables.push(zones));
  await clock.advanceTo(100);
  file.text = file.text.replace("www", "web");
  setup.hangUp();
  await clock.advanceTo(200);
  assert(has("web.a.example"));
  assertEquals(tables.length, 2);
  assertEquals(events.map((event) => event.type), ["zone.loaded"]);
});
