/** How bench/peer_pair.ts and bench/swarm.ts start each client: plain TCP, no discovery but the tracker, no preallocation. */
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
  readonly port: number;
  /** Without it there is no limit, or its link has one. libtorrent and aria2 only: ours is told by `flags`. */
  readonly uploadBytesPerSecond?: number | undefined;
  /** What ours is told beside. */
  readonly flags: readonly string[];
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
  rtorrent,
  webtorrent,
};

/** The program of ours that is measured. */
export const OURS: string = resolve(
  Deno.env.get("ROLECALL_BIN") ?? "dist/rolecall",
);

const DONE = "bench: complete";

// deno-lint-ignore require-await
async function rolecall(member: Member): Promise<Started> {
  const { folder, torrent, host, port, flags } = member;
  return {
    command: [
      ...[OURS, "peer", torrent, "--dir", folder],
      ...["--host", host, "--port", `${port}`, ...flags],
    ],
    doneWhen: /is complete:/,
  };
}

// The limit is for payload, as ours. Peers on a LAN would not be limited, but neither 198.18/15 nor a loopback without a limit is one.
// deno-lint-ignore require-await
async function libtorrent(
  member: Member,
  superSeed: boolean,
): Promise<Started> {
  const { seed, folder, torrent, host, port, uploadBytesPerSecond } = member;
  const flags = ["lt.torrent_flags.default_flags"];
  if (seed) flags.push("lt.torrent_flags.seed_mode");
  if (seed && superSeed) flags.push("lt.torrent_flags.super_seeding");
  const script = `
import libtorrent as lt, sys
session = lt.session({
  "listen_interfaces": "${host}:${port}", "enable_dht": False, "enable_lsd": False,
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
  const { seed, folder, state, torrent, port, uploadBytesPerSecond } = member;
  const hook = join(state, "done");
  await Deno.writeTextFile(hook, `#!/bin/sh\necho "${DONE}" >&2\n`);
  await Deno.chmod(hook, 0o755);
  return {
    command: [
      ...["aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false"],
      ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
      ...["--disable-ipv6=true", "--file-allocation=none"],
      ...["--summary-interval=0", "--seed-ratio=0.0", `--dir=${folder}`],
      ...[`--listen-port=${port}`, `--on-bt-download-complete=${hook}`],
      `--max-upload-limit=${Math.round(uploadBytesPerSecond ?? 0)}`,
      ...(seed ? ["--bt-seed-unverified=true"] : []),
      torrent,
    ],
    doneWhen: new RegExp(DONE),
  };
}

async function rtorrent(
  { folder, state, torrent, host, port }: Member,
): Promise<Started> {
  const config = join(state, "rtorrent.rc");
  await Deno.mkdir(join(state, "session"));
  await Deno.writeTextFile(
    config,
    `directory.default.set = ${folder}
session.path.set = ${join(state, "session")}
network.port_range.set = ${port}-${port}
network.bind_address.set = ${host}
dht.mode.set = disable
protocol.pex.set = no
protocol.encryption.set = none
pieces.hash.on_completion.set = no
system.daemon.set = true
method.set_key = event.download.finished, bench, "execute2 = sh, -c, \\"echo '${DONE}' >>${
      join(state, "log")
    }\\""
load.start = ${torrent}
`,
  );
  await Deno.writeTextFile(join(state, "log"), "");
  return {
    command: [
      ...["sh", "-c", 'rtorrent -n -o import="$1" & exec tail -f "$2"', "sh"],
      ...[config, join(state, "log")],
    ],
    doneWhen: new RegExp(DONE),
  };
}

// Its WebRTC has a native part that npm's --ignore-scripts leaves out: a stub stands in for it.
async function webtorrent(
  { seed, folder, state, torrent, port }: Member,
): Promise<Started> {
  const modules = resolve(Deno.env.get("ROLECALL_NPM") ?? ".cache/npm");
  await Deno.symlink(
    join(modules, "node_modules"),
    join(state, "node_modules"),
  );
  const script = join(state, "bench.mjs");
  await Deno.writeTextFile(
    script,
    `import { register } from "node:module";
const stub = "data:text/javascript," + encodeURIComponent(
  "export class RTCPeerConnection {} export class RTCSessionDescription {} export class RTCIceCandidate {}");
register("data:text/javascript," + encodeURIComponent(
  "export const resolve = (name, context, next) => name === 'webrtc-polyfill' ? { url: " +
  JSON.stringify(stub) + ", shortCircuit: true } : next(name, context);"));
const { default: WebTorrent } = await import("webtorrent");
const client = new WebTorrent({ torrentPort: ${port}, dht: false, lsd: false, utp: false, utPex: false,
  webSeeds: false, natUpnp: false, natPmp: false, tracker: { wrtc: false } });
client.on("error", (error) => { console.error(error); process.exit(1); });
const torrent = client.add(process.argv[2], { path: process.argv[3], skipVerify: ${seed} });
torrent.on("done", () => console.log("${DONE}"));
`,
  );
  return {
    command: ["node", script, torrent, folder],
    doneWhen: new RegExp(DONE),
  };
}
