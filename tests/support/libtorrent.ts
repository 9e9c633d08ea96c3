import { join } from "@std/path";
import { temporaryFolder } from "./program.ts";

/** The Python that Debian's python3-libtorrent is for. */
export const PYTHON = "/usr/bin/python3";

/** One torrent in one session, over plain TCP on loopback; ends when the torrent is complete, if it is to be downloaded. */
const SCRIPT = `
import json, sys, time
import libtorrent as lt
o = json.loads(sys.argv[1])
session = lt.session({
  "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
  "enable_natpmp": False, "enable_incoming_utp": False, "enable_outgoing_utp": False,
  "allow_multiple_connections_per_ip": True, "in_enc_policy": 2, "out_enc_policy": 2,
  "alert_mask": lt.alert.category_t.all_categories,
})
if o["torrent"].startswith("magnet:"):
  params = lt.parse_magnet_uri(o["torrent"])
else:
  params = lt.add_torrent_params()
  params.ti = lt.torrent_info(o["torrent"])
params.save_path = o["folder"]
handle = session.add_torrent(params)
while session.listen_port() == 0: time.sleep(0.01)
wanted = lambda s: s.is_seeding
if o["seed"]:
  while not handle.status().is_seeding: time.sleep(0.05)
print(json.dumps({"port": session.listen_port()}), flush=True)
for port in o["peers"]: handle.connect_peer(("127.0.0.1", port))
log = open(o["log"], "w")
while o["seed"] or not handle.status().is_seeding:
  for alert in session.pop_alerts(): print(alert.message(), file=log, flush=True)
  time.sleep(0.05)
for alert in session.pop_alerts(): print(alert.message(), file=log, flush=True)
print(json.dumps({"downloaded": handle.status().total_payload_download}), flush=True)
`;

/** See {@linkcode startLibtorrent}. */
export interface Libtorrent extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** Ends when everything is there; a seed never does. Its log if it failed. */
  readonly ended: Promise<{ readonly code: number; readonly log: string }>;
}

/** Starts libtorrent with a torrent or a magnet link: as a seed of what is in `folder`, or to download it there. */
export async function startLibtorrent(options: {
  readonly torrent: string;
  readonly folder: string;
  readonly seed: boolean;
  /** Ports on loopback. */
  readonly peers?: readonly number[];
}): Promise<Libtorrent> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const log = join(path, "log");
  const child = new Deno.Command(PYTHON, {
    args: ["-c", SCRIPT, JSON.stringify({ peers: [], ...options, log })],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("libtorrent did not start");
    text += value;
  }
  const draining = (async () => {
    while (!(await reader.read()).done);
  })();
  const ended = child.status.then(async ({ code }) => ({
    code,
    log: await Deno.readTextFile(log).catch(() => ""),
  }));
  stack.defer(async () => {
    try {
      child.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await ended;
    await draining;
  });
  return {
    port: JSON.parse(text.split("\n")[0]!).port,
    ended,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
