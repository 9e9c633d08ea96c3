import type { RoleEntry } from "../lib/role.ts";

/** Every role, in the order `--help` lists them. The only registry; a role's code is imported when it is chosen. */
export const ROLES: readonly RoleEntry[] = [
  {
    name: "udp-echo",
    summary: "Upper-case echo over UDP: server, client, pinger",
    load: async () => (await import("./udp_echo/mod.ts")).udpEcho,
  },
  {
    name: "tcp-echo",
    summary: "Upper-case echo over TCP, one socket per client",
    load: async () => (await import("./tcp_echo/mod.ts")).tcpEcho,
  },
  {
    name: "tracker",
    summary: "BitTorrent tracker: who is in which swarm",
    load: async () => (await import("./tracker/mod.ts")).tracker,
  },
  {
    name: "peer",
    summary: "BitTorrent peer: makes, seeds and downloads torrents",
    load: async () => (await import("./peer/mod.ts")).peer,
  },
  {
    name: "origin",
    summary: "Video origin: a folder, or a built-in test-card title, over HTTP",
    load: async () => (await import("./origin/mod.ts")).origin,
  },
  {
    name: "edge",
    summary: "CDN node: caching reverse proxy in front of origins",
    load: async () => (await import("./edge/mod.ts")).edge,
  },
  {
    name: "dns-redirector",
    summary: "Authoritative DNS that sends each client to its edge",
    load: async () => (await import("./dns_redirector/mod.ts")).dnsRedirector,
  },
  {
    name: "dash-client",
    summary: "Headless DASH player: measures, adapts, reports QoE",
    load: async () => (await import("./dash_client/mod.ts")).dashClient,
  },
  {
    name: "demo",
    summary: "Scripted classroom demos with measured results",
    load: async () => (await import("./demo/mod.ts")).demo,
  },
  {
    name: "roster",
    summary: "Who is out there: every role on this LAN answers",
    load: async () => (await import("./roster/mod.ts")).roster,
  },
  {
    name: "dashboard",
    summary: "The live page: what every role is doing now",
    load: async () => (await import("./dashboard/mod.ts")).dashboard,
  },
];
