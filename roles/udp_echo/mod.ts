import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { echoClientFlags } from "../../lib/echo/client_flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { runUdpClient } from "./client.ts";
import { serveUdpEcho } from "./server.ts";

/** The lecture's first program: text goes out in a datagram and comes back in capitals, or is lost. */
export const udpEcho: Role = {
  name: "udp-echo",
  summary: "Upper-case echo over UDP: server, client, pinger",
  events: [
    "echo.answered",
    "echo.dropped",
    "echo.failed",
    "echo.summarized",
    "reply.received",
    "reply.missed",
  ],
  examples: [
    "rolecall udp-echo",
    "rolecall udp-echo --port 12000 --loss 0.3 --delay 50ms --seed 7",
    "rolecall udp-echo --connect 127.0.0.1:12000 --message hello",
    "rolecall udp-echo --connect 127.0.0.1:12000 --count 10 --interval 200ms",
  ],
  modes: {
    server: mode({
      endless: true,
      summary: "Sends every datagram back in capitals",
      flags: {
        ...serverFlags({ port: 12000 }),
        loss: flag.probability({
          default: "0",
          help:
            "Drops this part of the datagrams, 0 to 1, by lot (--seed repeats it)",
        }),
        delay: flag.duration({
          default: "0",
          help: "Holds every answer back for so long",
        }),
        faithful: flag.toggle({
          help:
            "Behaves as the lecture's own server: takes 2048 bytes of a datagram, dies of text that is not UTF-8",
        }),
      },
      run: serveUdpEcho,
    }),
    client: mode({
      summary:
        "Sends --message, or each line of standard input, and prints the echo; with --count, pings",
      chosenBy: "connect",
      flags: echoClientFlags({
        default: "1s",
        help: "How long to wait for an echo before it counts as lost",
      }),
      run: runUdpClient,
    }),
  },
};
