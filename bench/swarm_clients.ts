/** How bench/swarm.ts starts each client: plain TCP, no discovery but the tracker, upload limited by the client itself or not at all. */
import { join, resolve } from "@std/path";

/** A run's seed or leech. */
export interface Member {
  readonly seed: boolean;
  /** Where the content lies, or is to be made. */
  readonly folder: string;
  /** Empty, for what the client needs beside it. */
  readonly state: string;
  readonly torrent: string;
  /** Its address. */
  readonly host: string;
  /** `undefined`: its link is limited, not the client. */
  readonly uploadBytesPerSecond: number | undefined;
}

/** What is started, and how one sees on its output (stdout and stderr) that everything is there. */
export interface Started {
  readonly command: readonly string[];
  readonly doneWhen: RegExp;
}

/** How each client is started, by name. `libtorrent-super` is libtorrent with super-seeding (BEP 16). */
export const CLIENTS: Readonly<
  Record<string, (member: Member) => Promise<Started>>
> = {
  rolecall,
  libtorrent: (member) => libtorrent(member, false),
  "libtorrent-super": (member) => libtorrent(member, true),
  aria2,
};

const DONE = "swarm: complete";

// deno-lint-ignore require-await
async function rolecall(member: Member): Promise<Started> {
  const { folder, torrent, host, uploadBytesPerSecond } = member;
  const binary = resolve(Deno.env.get("ROLECALL_BIN") ?? "dist/rolecall");
  return {
    command: [
      ...[binary, "peer", torrent, "--dir", folder],
      ...["--host", host, "--port", "6881", "--dht", "off"],
      ...(uploadBytesPerSecond === undefined
        ? ["--super-seed", "on"]
        : ["--upload-limit", `${uploadBytesPerSecond}`]),
      ...(Deno.env.get("SWARM_FLAGS") ?? "").split(" ").filter(Boolean),
    ],
    doneWhen: /is complete:/,
  };
}

// The limit is for payload, as ours; 198.18/15 is no LAN to libtorrent, which would not be limited.
// deno-lint-ignore require-await
async function libtorrent(
  member: Member,
  superSeed: boolean,
): Promise<Started> {
  const { seed, folder, torrent, host, uploadBytesPerSecond } = member;
  const flags = ["lt.torrent_flags.default_flags"];
  if (seed) flags.push("lt.torrent_flags.seed_mode");
  if (seed && superSeed) flags.push("lt.torrent_flags.super_seeding");
  const script = `
import libtorrent as lt, sys
session = lt.session({
  "listen_interfaces": "${host}:6881", "enable_dht": False, "enable_lsd": False,
  "enable_upnp": False, "enable_natpmp": False, "enable_incoming_utp": False,
  "enable_outgoing_utp": False, "allow_multiple_connections_per_ip": True, "rate_limit_ip_overhead": False,
  "out_enc_policy": 2, "in_enc_policy": 2, "alert_mask": lt.alert.category_t.status_notification})
torrent = session.add_torrent({"ti": lt.torrent_info(sys.argv[1]), "save_path": sys.argv[2],
  "storage_mode": lt.storage_mode_t.storage_mode_sparse, "flags": ${
    flags.join(" | ")
  }})
torrent.set_upload_limit(${Math.round(uploadBytesPerSecond ?? 0)})
told = False
while True:
  session.wait_for_alert(1000)
  for alert in session.pop_alerts():
    if isinstance(alert, lt.torrent_finished_alert) and not told:
      told = True
      print("${DONE}", flush=True)
`;
  return {
    command: ["/usr/bin/python3", "-c", script, torrent, folder],
    doneWhen: new RegExp(DONE),
  };
}

async function aria2(member: Member): Promise<Started> {
  const { seed, folder, state, torrent, uploadBytesPerSecond } = member;
  const hook = join(state, "done");
  await Deno.writeTextFile(hook, `#!/bin/sh\necho "${DONE}" >&2\n`);
  await Deno.chmod(hook, 0o755);
  return {
    command: [
      ...["aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false"],
      ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
      ...["--disable-ipv6=true", "--file-allocation=none"],
      ...["--summary-interval=0", "--seed-ratio=0.0", `--dir=${folder}`],
      ...["--listen-port=6881", `--on-bt-download-complete=${hook}`],
      `--max-upload-limit=${Math.round(uploadBytesPerSecond ?? 0)}`,
      ...(seed ? ["--bt-seed-unverified=true"] : []),
      torrent,
    ],
    doneWhen: new RegExp(DONE),
  };
}
