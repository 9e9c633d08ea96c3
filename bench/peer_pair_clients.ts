/** How bench/peer_pair.ts starts each client: plain TCP, no discovery but the tracker, no limit, no preallocation. */
import { join, resolve } from "@std/path";

/** A run's seed or leech. */
export interface Part {
  readonly seed: boolean;
  /** Where the content lies, or is to be made. */
  readonly folder: string;
  /** Empty, for what the client needs beside it. */
  readonly state: string;
  readonly torrent: string;
  readonly port: number;
}

/** What is started, and how one sees on its output (stdout and stderr) that everything is there. */
export interface Started {
  readonly command: readonly string[];
  readonly doneWhen: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** How each client is started, by name. */
export const CLIENTS: Readonly<
  Record<string, (part: Part) => Promise<Started>>
> = { rolecall, libtorrent, aria2, rtorrent, webtorrent };

const DONE = "pair: complete";

// deno-lint-ignore require-await
async function rolecall({ folder, torrent, port }: Part): Promise<Started> {
  const binary = resolve(Deno.env.get("ROLECALL_BIN") ?? "dist/rolecall");
  return {
    command: [
      ...[binary, "peer", torrent, "--dir", folder],
      ...["--host", "127.0.0.1", "--port", `${port}`],
      ...(Deno.env.get("PEER_PAIR_FLAGS") ?? "").split(" ").filter(Boolean),
    ],
    doneWhen: /is complete:/,
  };
}

// libtorrent limits no rate unless told; LAN peers would not be limited anyway.
// deno-lint-ignore require-await
async function libtorrent(
  { seed, folder, torrent, port }: Part,
): Promise<Started> {
  const script = `
import libtorrent as lt, sys, time
session = lt.session({
  "listen_interfaces": "127.0.0.1:${port}", "enable_dht": False, "enable_lsd": False,
  "enable_upnp": False, "enable_natpmp": False, "enable_incoming_utp": False,
  "enable_outgoing_utp": False, "allow_multiple_connections_per_ip": True,
  "out_enc_policy": 2, "in_enc_policy": 2, "alert_mask": lt.alert.category_t.status_notification})
params = {"ti": lt.torrent_info(sys.argv[1]), "save_path": sys.argv[2],
  "storage_mode": lt.storage_mode_t.storage_mode_sparse}
if ${
    seed ? "True" : "False"
  }: params["flags"] = lt.torrent_flags.default_flags | lt.torrent_flags.seed_mode
torrent = session.add_torrent(params)
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

async function aria2(
  { seed, folder, state, torrent, port }: Part,
): Promise<Started> {
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
      ...(seed ? ["--bt-seed-unverified=true"] : []),
      torrent,
    ],
    doneWhen: new RegExp(DONE),
  };
}

async function rtorrent(
  { folder, state, torrent, port }: Part,
): Promise<Started> {
  const config = join(state, "rtorrent.rc");
  await Deno.mkdir(join(state, "session"));
  await Deno.writeTextFile(
    config,
    `directory.default.set = ${folder}
session.path.set = ${join(state, "session")}
network.port_range.set = ${port}-${port}
network.bind_address.set = 127.0.0.1
dht.mode.set = disable
protocol.pex.set = no
protocol.encryption.set = none
pieces.hash.on_completion.set = no
system.daemon.set = true
method.set_key = event.download.finished, pair, "execute2 = sh, -c, \\"echo '${DONE}' >>${
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
  { seed, folder, state, torrent, port }: Part,
): Promise<Started> {
  const modules = resolve(Deno.env.get("ROLECALL_NPM") ?? ".cache/npm");
  await Deno.symlink(
    join(modules, "node_modules"),
    join(state, "node_modules"),
  );
  const script = join(state, "pair.mjs");
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
