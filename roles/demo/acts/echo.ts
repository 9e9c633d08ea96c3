import type { Exchange } from "../../../lib/echo/client.ts";
import type { PingFigures } from "../../../lib/echo/ping_result.ts";
import type { EchoAct } from "../scenario/scenario.ts";
import type { Player, Stage } from "../stage/stage.ts";

/** What a talking `tcp-echo` prints with `--json`. */
interface TalkResult {
  readonly exchanges: readonly Exchange[];
}

/** Datagrams are lost and nobody says so; lines over TCP all come back, each client on a socket of its own. */
export async function playEcho(act: EchoAct, stage: Stage): Promise<void> {
  stage.begin("echo", "Sockets: an echo over UDP that loses, one over TCP");
  const serverHost = stage.machine();
  const seed = Math.floor(stage.ctx.rng() * 2 ** 32);
  const udp = stage.start("udp-server", [
    ...["udp-echo", "--host", serverHost, "--port", "0"],
    ...["--loss", String(act.loss), "--delay", `${act.delayMs}ms`],
    ...["--seed", String(seed)],
  ]);
  const tcp = stage.start("tcp-server", [
    ...["tcp-echo", "--host", serverHost, "--port", "0"],
  ]);
  const [ping, talks] = await Promise.all([
    pingOverUdp(act, udp, stage),
    talkOverTcp(act, tcp, stage),
  ]);
  // Once a server has ended, every event of it has been read.
  await stage.end(udp, tcp);
  checkPings(act, ping, udp, stage);
  checkTalks(act, talks, tcp, stage);
}

async function pingOverUdp(
  act: EchoAct,
  server: Player,
  stage: Stage,
): Promise<PingFigures> {
  const { host, port } = await server.until("role.listening");
  const pinger = stage.start("pinger", [
    ...["udp-echo", "--connect", `${host}:${port}`, "--json"],
    ...["--count", String(act.pings), "--interval", `${act.intervalMs}ms`],
  ]);
  pinger.role.subscribe((event) => {
    if (event.type === "reply.received") {
      stage.progress(
        pinger.name,
        `reply ${event.messageIndex} of ${act.pings} after ${
          event.rttMs.toFixed(1)
        } ms`,
      );
    }
  });
  return await stage.result(pinger) as PingFigures;
}

function checkPings(
  act: EchoAct,
  ping: PingFigures,
  server: Player,
  stage: Stage,
): void {
  const dropped = server.all("echo.dropped").length;
  const lost = ping.sent - ping.received;
  stage.check(
    "every lost ping is one that the server dropped by lot",
    ping.sent === act.pings && lost === dropped,
    `${ping.sent} sent, ${ping.received} answered, ${lost} lost, ${dropped} dropped at --loss ${act.loss}`,
  );
  const slowEnough = ping.rttMinMs !== null && ping.rttMinMs >= act.delayMs;
  stage.check(
    "no reply is faster than the server's delay",
    slowEnough,
    `min/avg/max/stddev ${
      [ping.rttMinMs, ping.rttAvgMs, ping.rttMaxMs, ping.rttStddevMs]
        .map((ms) => ms?.toFixed(2) ?? "–").join("/")
    } ms, delay ${act.delayMs} ms`,
  );
  stage.sections.push({
    kind: "chart",
    heading: "Echo over UDP: round trip of every ping",
    file: "echo-round-trips",
    chart: {
      kind: "line",
      xLabel: "ping",
      yLabel: "round trip (ms)",
      series: [{
        name: "answered",
        shape: "points",
        points: ping.rttsMs.flatMap((ms, at) =>
          ms === null ? [] : [[at + 1, ms]]
        ),
      }],
    },
    note:
      `A gap is a ping without an answer, ${lost} in all: UDP does not say that a datagram was lost, only the client's patience does.`,
  });
}

async function talkOverTcp(
  act: EchoAct,
  server: Player,
  stage: Stage,
): Promise<readonly TalkResult[]> {
  const { host, port } = await server.until("role.listening");
  const clients = ["tcp-client-1", "tcp-client-2"].map((name) =>
    stage.start(name, [
      ...["tcp-echo", "--connect", `${host}:${port}`, "--json"],
      ...["--message", act.lines.join("\n")],
    ])
  );
  return await Promise.all(
    clients.map((client) => stage.result(client)),
  ) as readonly TalkResult[];
}

function checkTalks(
  act: EchoAct,
  talks: readonly TalkResult[],
  server: Player,
  stage: Stage,
): void {
  const exchanges = talks.flatMap((talk) => talk.exchanges);
  const right = exchanges.filter(({ message, reply }) =>
    reply === message.toUpperCase()
  );
  stage.check(
    "every line over TCP comes back in capitals",
    right.length === talks.length * act.lines.length,
    `${right.length} of ${talks.length * act.lines.length} lines, such as "${
      right.at(-1)?.reply
    }"`,
  );
  const sockets = server.all("connection.opened").map((event) =>
    `(${event.remoteHost}:${event.remotePort}, ${event.localHost}:${event.localPort})`
  );
  stage.check(
    "two clients of one port have two sockets",
    new Set(sockets).size === talks.length,
    sockets.join(" "),
  );
}
