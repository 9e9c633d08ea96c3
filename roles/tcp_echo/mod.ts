import { flag, neverWith, serverFlags } from "../../lib/cli/flags.ts";
import { echoClientFlags } from "../../lib/echo/client_flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { runTcpClient } from "./client.ts";
import { serveTcpEcho } from "./server.ts";

/** The lecture's second program: a connection, a socket for each client, lines that come back in capitals. */
export const tcpEcho: Role = {
  name: "tcp-echo",
  summary: "Upper-case echo over TCP, one socket per client",
  events: [
    "echo.answered",
    "echo.summarized",
    "connection.opened",
    "connection.refused",
    "connection.closed",
    "connection.established",
    "reply.received",
    "reply.missed",
  ],
  examples: [
    "rolecall tcp-echo",
    "rolecall tcp-echo --port 12000 --max-connections 100 --idle-timeout 1min",
    "rolecall tcp-echo --connect 127.0.0.1:12000 --message hello",
    "rolecall tcp-echo --connect 127.0.0.1:12000 --count 10 --interval 200ms",
  ],
  modes: {
    server: mode({
      endless: true,
      summary: "Sends every line back in capitals until the client closes",
      flags: {
        ...serverFlags({ port: 12000 }),
        ...neverWith(["faithful"], {
          maxConnections: flag.count({
            default: "1000",
            help: "Closes at once whoever comes when so many are open",
          }),
          idleTimeout: flag.duration({
            default: "5min",
            help:
              "Closes a connection on which nothing came for so long; 0 never",
          }),
        }),
        faithful: flag.toggle({
          help:
            "Behaves as the lecture's own server: one client at a time, one reading of 1024 bytes, dies of text that is not UTF-8",
        }),
      },
      run: serveTcpEcho,
    }),
    client: mode({
      summary:
        "Sends --message, or each line of standard input, and prints the echo; with --count, pings",
      chosenBy: "connect",
      flags: echoClientFlags({
        default: "5s",
        help: "How long to wait for the connection and for an echo",
      }),
      run: runTcpClient,
    }),
  },
};
