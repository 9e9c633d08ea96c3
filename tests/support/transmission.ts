import { join } from "@std/path";
import type { Host } from "./namespaces.ts";
import { type HeardTool, startHeardTool } from "./tools.ts";

/** Starts a Transmission on a host: it shares one torrent, finds peers by its tracker unless `settings` say otherwise, and speaks TCP only. */
export async function startTransmission(
  host: Host,
  { torrent, folder, config, settings = {} }: {
    readonly torrent: string;
    /** Where the content is, or comes. */
    readonly folder: string;
    /** For its own files; is made. */
    readonly config: string;
    readonly settings?: Readonly<Record<string, unknown>>;
  },
): Promise<HeardTool> {
  const watched = join(config, "watched");
  await Deno.mkdir(watched, { recursive: true });
  await Deno.copyFile(torrent, join(watched, "a.torrent"));
  const all = {
    "dht-enabled": false,
    "lpd-enabled": false,
    "pex-enabled": false,
    "utp-enabled": false,
    encryption: 0,
    "peer-port": 51413,
    "peer-port-random-on-start": false,
    "port-forwarding-enabled": false,
    "rpc-enabled": false,
    "download-dir": folder,
    "incomplete-dir-enabled": false,
    "watch-dir": watched,
    "watch-dir-enabled": true,
    ...settings,
  };
  await Deno.writeTextFile(join(config, "settings.json"), JSON.stringify(all));
  return startHeardTool([
    ...host.inside,
    ...["transmission-daemon", "--foreground", "--config-dir", config],
  ], { env: { HOME: config }, stop: "SIGTERM" });
}
