import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { flag, serverFlags } from "../../../lib/cli/flags.ts";
import type { RoleShape } from "../../../lib/cli/role_shape.ts";
import { scanArgs } from "../../../lib/cli/scan.ts";
import { scanConfig, withConfig } from "../../../lib/cli/config.ts";
import { parseRoleArgs } from "../../../lib/cli/parse.ts";
import { InputError } from "../../../lib/core/errors.ts";

const ROLE: RoleShape = {
  name: "thing",
  modes: {
    server: {
      flags: {
        ...serverFlags({ port: 12000 }),
        loss: flag.probability({ help: "Loss", default: "0" }),
        maxConnections: flag.count({ help: "Bound", default: "10" }),
        origin: flag.list(flag.url({ help: "Origin" })),
      },
    },
    client: {
      chosenBy: "connect",
      flags: {
        connect: flag.hostPort({ help: "Where" }),
        interval: flag.duration({ help: "Pause", default: "1s" }),
        outFile: flag.path({ help: "File", short: "o" }),
      },
      operand: { placeholder: "WORD", optional: true },
    },
  },
};

function parse(...args: string[]) {
  return parseRoleArgs(ROLE, scanArgs(ROLE, args));
}

function lineOf(...args: string[]): string {
  const error = assertThrows(() => parse(...args));
  assertInstanceOf(error, InputError);
  return error.message;
}

Deno.test("parseRoleArgs gives defaults for what is not given", () => {
  const { modeName, flags, common } = parse();
  assertEquals(modeName, "server");
  assertEquals(flags, {
    host: "",
    port: 12000,
    loss: 0,
    maxConnections: 10,
    origin: [],
    operand: "",
  });
  assertEquals(common.log, "text");
  assertEquals(common.seed, undefined);
});

Deno.test("parseRoleArgs reads values with = or a space, switches and repeated lists", () => {
  const { flags, common } = parse(
    "--port=0",
    "--max-connections",
    "7",
    "--json",
    "--origin",
    "http://a/",
    "--origin=http://b/",
    "--seed",
    "5",
  );
  assertEquals(flags.port, 0);
  assertEquals(flags.maxConnections, 7);
  assertEquals(flags.origin, ["http://a/", "http://b/"]);
  assertEquals(common.json, true);
  assertEquals(common.seed, 5);
});

Deno.test("parseRoleArgs takes true and false after a switch's = only", () => {
  assertEquals(parse("--json=true").common.json, true);
  assertEquals(parse("--json=false").common.json, false);
  assertEquals(parse("--connect=a:1", "--", "--json=x").common.json, false);
});

Deno.test("parseRoleArgs chooses the mode whose own flag is given", () => {
  const { modeName, flags } = parse(
    "--connect",
    "[::1]:53",
    "-o",
    "file",
    "007",
  );
  assertEquals(modeName, "client");
  assertEquals(flags.connect, { host: "::1", port: 53 });
  assertEquals(flags.interval, 1000);
  assertEquals(flags.outFile, "file");
  assertEquals(flags.operand, "007");
});

Deno.test("parseRoleArgs refuses what is wrong with a line that names the flag", () => {
  for (
    const [args, said] of [
      [["--prot", "1"], "--port"],
      [["--port"], "--port"],
      [["--port", "1", "--port", "2"], "--port"],
      [["--port", "70000"], "70000"],
      [["--port", "x"], "x"],
      [["--loss", "1.5"], "--loss"],
      [["--interval", "5s"], "--interval"],
      [["--connect", "here"], 'HOST:PORT, and "here" has no port'],
      [["--connect", "http://a/"], "such as 127.0.0.1:53"],
      [["--connect", "a:1", "--loss", "0"], "--loss"],
      [["stray"], "stray"],
      [["--connect", "a:1", "one", "two"], "two"],
      [["--origin", "ftp://a/"], "--origin"],
      [["--log", "xml"], "text, json"],
      [["--connect", "a:0"], "--connect must have a port from 1"],
      [["--json=maybe"], '--json takes no value, got "maybe"'],
      [["--seed", "-1"], "--seed needs a value: --seed N; "],
      [["--seed", "-1"], "as --seed=-1"],
      [["-o", "-file"], "as --out-file=-file"],
      [["--json", "-1"], "thing has no flag -1"],
      [["-x"], "thing has no flag -x"],
      [["--PORT", "1"], "did you mean --port?"],
      [["--interval", "5s"], "but only together with --connect"],
      [["--max-connections", "x"], 'must be a whole number such as 4, got "x"'],
      [["http://a/"], "did you mean --origin http://a/?"],
      [["10.0.0.1:53"], "did you mean --connect 10.0.0.1:53?"],
      [["5353"], "did you mean --port 5353?"],
      [["stray"], "flags start with --"],
      [["--max", "5"], "did you mean --max-connections?"],
      [["--portnumber", "1"], "did you mean --port?"],
      [["--log", "jsn"], 'got "jsn"; did you mean json?'],
    ] as const
  ) {
    const line = lineOf(...args);
    assertEquals(line.includes(said), true, `${args.join(" ")}: ${line}`);
    assertEquals(line.includes("\n"), false);
  }
});

Deno.test("parseRoleArgs refuses --json where a mode or a flag of it has no end and so no result, and nowhere else", () => {
  const [server, client] = [ROLE.modes["server"]!, ROLE.modes["client"]!];
  const role = {
    ...ROLE,
    modes: { server: { ...server, endless: true }, client },
  };
  const run = (...args: string[]) =>
    parseRoleArgs(role as RoleShape, scanArgs(role as RoleShape, args));
  assertMatch(
    assertThrows(() => run("--json"), InputError).message,
    /^--json .* thing goes on until it is stopped; --log json/,
  );
  assertEquals(run("--json=false").common.json, false);
  assertEquals(run("--connect", "a:1", "--json").common.json, true);
  const watching = {
    ...ROLE,
    modes: { client: { ...client, chosenBy: undefined, endless: "outFile" } },
  };
  const look = (...args: string[]) =>
    parseRoleArgs(watching as unknown as RoleShape, scanArgs(ROLE, args));
  assertEquals(look("--json").common.json, true);
  assertMatch(
    assertThrows(() => look("--json", "-o", "f"), InputError).message,
    /thing --out-file goes on/,
  );
});

Deno.test("scanArgs takes nothing as the value of a flag that may be empty, and of no other", () => {
  const role: RoleShape = {
    name: "thing",
    modes: {
      client: {
        flags: {
          message: flag.text({ help: "Message", mayBeEmpty: true }),
          zone: flag.text({ help: "Zone" }),
          count: flag.count({ help: "Count" }),
        },
      },
    },
  };
  for (
    const args of [["--message", ""], ["--message="], [
      ...["--count", "1", "--message", "", "--zone", "a"],
    ]]
  ) {
    const raw = scanArgs(role, args);
    assertEquals(raw.texts.get("message"), [""]);
    assertEquals(raw.operands, []);
  }
  for (
    const args of [["--message"], ["--message", "--count", "1"], [
      ...["--zone", "", "--message", "a"],
    ], ["--message", "--", ""]]
  ) {
    assertThrows(() => scanArgs(role, args), InputError, "needs a value");
  }
  assertEquals(
    scanArgs(role, ["--", "--message", "", "--json=a"]).operands,
    ["--message", "", "--json=a"],
  );
  const texts = scanConfig(role, "f.json", '{"message":""}');
  assertEquals(texts.get("message"), [""]);
  assertThrows(() => scanConfig(role, "f.json", '{"zone":""}'), InputError);
});

Deno.test("scanConfig reads flags of a JSON file and refuses unknown ones", () => {
  assertEquals(
    [...scanConfig(ROLE, "f.json", `{"port":0,"json":true,"origin":["a"]}`)],
    [["port", ["0"]], ["json", [""]], ["origin", ["a"]]],
  );
  for (
    const text of [
      ...["{", "[]", `{"prot":1}`, `{"port":[]}`, `{"port":[1,2]}`],
      ...[`{"port":null}`, `{"port":""}`, `{"json":"yes"}`, `{"origin":[{}]}`],
    ]
  ) {
    assertInstanceOf(
      assertThrows(() => scanConfig(ROLE, "f.json", text)),
      InputError,
    );
  }
  assertMatch(
    assertThrows(
      () => scanConfig(ROLE, "f.json", `{"config":"g.json"}`),
      InputError,
    )
      .message,
    /"config" is for the command line only/,
  );
});

Deno.test("parseRoleArgs tells the flags in force in a form that a --config file may have", () => {
  const { config, ...rest } = parse(
    ...["--port", "0", "--origin", "http://a/", "--loss=.3", "--json"],
  );
  assertEquals(config, {
    port: "0",
    loss: ".3",
    "max-connections": "10",
    origin: ["http://a/"],
    log: "text",
    unlisted: false,
    json: true,
  });
  const texts = scanConfig(ROLE, "f.json", JSON.stringify(config));
  const again = parseRoleArgs(ROLE, { texts, operands: [], help: false });
  assertEquals(again, { ...rest, config });
});

Deno.test("parseRoleArgs names the --config file of a bad value, and not that of one the command line replaced", () => {
  const config = (text: string, ...args: readonly string[]) => {
    const texts = scanConfig(ROLE, "f.json", text);
    const raw = withConfig(scanArgs(ROLE, args), { path: "f.json", texts });
    return () => parseRoleArgs(ROLE, raw);
  };
  const messageOf = (run: () => unknown) =>
    assertThrows(run, InputError).message;
  const bad = '{"loss":"much","port":1}';
  assertMatch(messageOf(config(bad)), /^f\.json: loss must /);
  assertMatch(messageOf(config(bad, "--loss", "9")), /^--loss must /);
  const { flags } = config(bad, "--loss", "0.5")();
  assertEquals([flags["loss"], flags["port"]], [0.5, 1]);
});

Deno.test("parseRoleArgs does not tell the value of a secret flag among those in force", () => {
  const token = flag.text({ help: "Who knows it may", secret: true });
  const role: RoleShape = {
    name: "thing",
    modes: { only: { flags: { token } } },
  };
  const { flags, config } = parseRoleArgs(
    role,
    scanArgs(role, ["--token", "s3cret"]),
  );
  assertEquals(flags["token"], "s3cret");
  assertEquals(JSON.stringify(config).includes("s3cret"), false);
});

Deno.test("parseRoleArgs says which words a missing operand may be", () => {
  const operand = { placeholder: "SCENARIO", choices: ["all", "churn"] };
  const role = { name: "demo", modes: { play: { flags: {}, operand } } };
  const { message } = assertThrows(
    () => parseRoleArgs(role, scanArgs(role, [])),
    InputError,
  );
  assertEquals(
    message,
    "demo needs SCENARIO, such as all, churn: see rolecall demo --help",
  );
});
