/** The edge over TLS, for curl and OpenSSL. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import { runProgram, runTool, temporaryFolder } from "../../support/program.ts";

/** A body that breaks off. */
function broken(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1000)),
    pull: (controller) => controller.error(new Error("broken")),
  });
}

Deno.test("edge speaks HTTP/2 and HTTP/1.1 over TLS with a certificate that curl can be told to trust", async () => {
  await using folder = await temporaryFolder();
  const body = "x".repeat(200_000);
  await using origin = countingOrigin((path) =>
    new Response(path === "/cut" ? broken() : path === "/big" ? body : path, {
      headers: { "cache-control": "max-age=60" },
    })
  );
  const { program, port } = await startEdge([origin.url], [
    "--tls",
    "self-signed",
  ]);
  await using _edge = program;
  const url = `https://localhost:${port}`;
  // What the server shows is what it vouches with.
  const shown = await runTool("openssl", [
    "s_client",
    "-connect",
    `127.0.0.1:${port}`,
    "-showcerts",
  ], { stdin: "" });
  const certificate = `${folder.path}/edge.pem`;
  await Deno.writeTextFile(
    certificate,
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/
      .exec(shown.stdout)![0],
  );
  const curl = async (...args: string[]) => {
    const { code, stdout, stderr } = await runTool("curl", [
      "-sS",
      "--ipv4",
      "--cacert",
      certificate,
      "-w",
      "\n%{http_version} %{http_code} %{size_download}",
      ...args,
    ]);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    return stdout;
  };
  assertEquals(await curl("--http2", `${url}/a?b=1`), "/a?b=1\n2 200 6");
  assertEquals(await curl("--http1.1", `${url}/a?b=1`), "/a?b=1\n1.1 200 6");
  assertMatch(await curl("--http2", `${url}/big`), /\n2 200 200000$/);
  assertMatch(
    await curl("--http2", "-D-", "-o", "/dev/null", `${url}/big`),
    /cache-status: .*; hit; /,
  );
  assertEquals(
    await curl("--http2", "-r", "1-3", `${url}/big`),
    "xxx\n2 206 3",
  );
  assertMatch(await curl("--http2", "-I", `${url}/big`), /\n2 200 0$/);
  assertEquals(origin.count("/big"), 1);
  assertMatch(
    origin.requests[0]!.headers.get("forwarded")!,
    /^for=127\.0\.0\.1;proto=https$/,
  );
  for (const version of ["--http2", "--http1.1"]) {
    const { code, stdout } = await runTool(
      "curl",
      ["-sS", "--ipv4", "--cacert", certificate, version, `${url}/cut`],
    );
    assert(code !== 0, `${version} took ${stdout.length} bytes for all`);
  }
  assertEquals((await program.stop()).code, 0);
});

Deno.test("edge takes a certificate of OpenSSL's, and says in one line what is wrong with another", async () => {
  await using folder = await temporaryFolder();
  const [cert, key] = [`${folder.path}/c.pem`, `${folder.path}/k.pem`];
  const made = await runTool("openssl", [
    ..."req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost".split(
      " ",
    ),
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  assertEquals(made.code, 0, made.stderr);
  await using origin = countingOrigin((path) => new Response(path));
  const { program, port } = await startEdge([origin.url], [
    "--tls-cert",
    cert,
    "--tls-key",
    key,
  ]);
  await using _edge = program;
  const args = [
    "-sS",
    "--ipv4",
    "--cacert",
    cert,
    `https://localhost:${port}/x`,
  ];
  assertEquals((await runTool("curl", args)).stdout, "/x");
  const bad = async (...flags: string[]) => {
    const { code, stderr } = await runProgram([
      "edge",
      "--port",
      "0",
      "--origin",
      origin.url,
      ...flags,
    ]);
    assertEquals([code, stderr.trim().split("\n").length], [2, 1], stderr);
  };
  await bad("--tls-cert", cert);
  await bad("--tls-cert", key, "--tls-key", cert);
  await bad("--tls-cert", `${folder.path}/none`, "--tls-key", key);
});
