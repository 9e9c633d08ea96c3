/** Chromium shows the dashboard: a card for each role, what a player measures, and the list of what happened. */
import { assert } from "@std/assert";
import { openPage } from "../../support/browser.ts";
import { startProgram } from "../../support/program.ts";

const HOST = ["--host", "127.0.0.1", "--port", "0"];
/** Longest wait for something on the page. */
const SHOWN_MS = 180_000;

Deno.test("the dashboard shows in Chromium what an edge and a player do, and that they have gone", async () => {
  await using origin = await startProgram(["origin", ...HOST]);
  const { port: source } = await origin.until("role.listening");
  const cast = `dashboard-${Deno.pid}`;
  await using edge = await startProgram([
    ...["edge", ...HOST, "--origin", `http://127.0.0.1:${source}`],
    ...["--name", `${cast}-edge`, "--admin", "0"],
  ]);
  const { port } = await edge.until("role.listening");
  await using board = await startProgram(["dashboard", ...HOST]);
  const { port: shown } = await board.until("role.listening");
  await using player = await startProgram([
    ...["dash-client", `http://127.0.0.1:${port}/manifest.mpd`],
    ...["--name", `${cast}-player`, "--admin", "0"],
  ]);
  const admin = await player.until("admin.listening");
  await using watching = await startProgram([
    ...["dashboard", ...HOST, "--alone", "--watch", `127.0.0.1:${admin.port}`],
  ]);
  const { port: alone } = await watching.until("role.listening");

  await using page = await openPage(`http://127.0.0.1:${shown}/`);
  const card = (name: string, has: string) =>
    `[...document.querySelectorAll("article")].some(({ className, textContent }) => textContent.includes("${name}") && (className + textContent).includes("${has}"))`;
  const account = { withinMs: SHOWN_MS, account: "document.body.innerText" };
  await page.until(card(`${cast}-edge`, "edge.answered miss"), account);
  await page.until(
    `[...document.querySelectorAll("tbody tr")].some(({ textContent }) => textContent.includes("edge.answered"))`,
    account,
  );

  // By the keyboard, too: a button in each card.
  const pressed =
    `document.querySelector("article.chosen button")?.ariaPressed === "true"`;
  await page.evaluate(
    `[...document.querySelectorAll("article button")].find(({ textContent }) => textContent.includes("${cast}-edge")).click()`,
  );
  await page.until(pressed, account);

  await using single = await openPage(`http://127.0.0.1:${alone}/`);
  await single.until(card(`${cast}-player`, "Mbit/s"), account);
  await single.until(
    `document.querySelectorAll("article polyline").length === 3`,
    account,
  );
  const folder = Deno.env.get("ROLECALL_PICTURES");
  if (folder !== undefined) {
    const picture = await page.screenshot();
    await Deno.writeFile(`${folder}/dashboard.png`, picture);
  }
  await edge.stop();
  await page.until(card(`${cast}-edge`, "gone"), account);
  const problems = await page.evaluate<string>(
    `document.querySelector("#trouble").textContent`,
  );
  assert(problems === "", problems);
});
