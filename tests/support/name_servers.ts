import { startTool } from "./tools.ts";

/** Where a name server of others listens, what it keeps its files in, and its zone's statements in its own words. */
interface NameServer {
  /** Exists, and is its own. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly zone: readonly string[];
}

/** Starts NSD. */
export async function startNsd(
  { folder, host, port, zone }: NameServer,
): Promise<AsyncDisposable> {
  const path = `${folder}/nsd.conf`;
  const text = `server:
  ip-address: ${host}
  port: ${port}
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  server-count: 1
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  ${zone.join("\n  ")}
`;
  await Deno.writeTextFile(path, text);
  return startTool(["nsd", "-d", "-c", path], { stop: "SIGTERM" });
}

/** Starts Knot DNS. @param primary Where `ours` is, that a zone may name as its master. */
export async function startKnot(
  { folder, host, port, zone }: NameServer,
  primary = "127.0.0.1@53",
): Promise<AsyncDisposable> {
  const path = `${folder}/knot.conf`;
  const text = `server:
  rundir: "${folder}"
  listen: ${host}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "${folder}"
remote:
  - id: ours
    address: ${primary}
zone:
  - ${zone.join("\n    ")}
`;
  await Deno.writeTextFile(path, text);
  return startTool(["knotd", "-c", path], { stop: "SIGTERM" });
}
