/** Pages on which dash.js or shaka plays a manifest; both come from the folder `ROLECALL_NPM`. */
import { assert } from "@std/assert";
import { join } from "@std/path";

/** The players there are. */
export type PlayerName = "dash.js" | "shaka";

const SCRIPTS: Readonly<Record<PlayerName, string>> = {
  "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
  shaka: "shaka-player/dist/shaka-player.compiled.js",
};

/** With little held, and believing soon what they measure, players follow the network within seconds. */
const QUICK: Readonly<Record<PlayerName, (seconds: number) => string>> = {
  "dash.js": (seconds) =>
    `player.updateSettings({ streaming: { buffer: {
      bufferTimeDefault: ${seconds}, bufferTimeAtTopQuality: ${seconds}, bufferTimeAtTopQualityLongForm: ${seconds},
      fastSwitchEnabled: false } } });`,
  shaka: (seconds) =>
    `player.configure({ streaming: { bufferingGoal: ${seconds}, rebufferingGoal: 1 },
      abr: { switchInterval: 1, advanced: { fastHalfLife: 1, slowHalfLife: 3 } } });`,
};

const START: Readonly<Record<PlayerName, (settings: string) => string>> = {
  "dash.js": (settings) => `
    const player = dashjs.MediaPlayer().create();
    player.on("error", (e) => seen.errors.push(String(e.error?.message ?? e.error)));
    ${settings}
    player.initialize(video, url, true);`,
  shaka: (settings) => `
    const player = new shaka.Player();
    player.addEventListener("error", (e) => seen.errors.push("shaka " + e.detail.code));
    ${settings}
    player.attach(video).then(() => player.load(url)).then(() => video.play())
      .catch((e) => seen.errors.push("shaka " + (e.code ?? e) + " " + e.message));`,
};

/** Serves the pages. Disposing of it ends that. */
export interface PlayerPages extends AsyncDisposable {
  /** The page on which a player plays a manifest; `video` and `seen.errors` tell how it goes. */
  url(player: PlayerName, manifestUrl: string): string;
}

/** @param options.bufferSeconds The players hold so much and follow the network quickly; as they like if not given. */
export function servePlayerPages(
  options: { readonly bufferSeconds?: number } = {},
): PlayerPages {
  const { bufferSeconds } = options;
  const npm = Deno.env.get("ROLECALL_NPM");
  assert(npm, "ROLECALL_NPM must name a folder with dashjs and shaka-player");
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const name = new URL(request.url).pathname.slice(1);
      if (name.endsWith(".script")) {
        const file = SCRIPTS[name.slice(0, -7) as PlayerName];
        return new Response(
          await Deno.readTextFile(join(npm, "node_modules", file)),
          { headers: { "content-type": "text/javascript" } },
        );
      }
      if (name !== "dash.js" && name !== "shaka") {
        return new Response(null, { status: 404 });
      }
      const settings = bufferSeconds === undefined
        ? ""
        : QUICK[name](bufferSeconds);
      return new Response(
        `<!doctype html><meta charset="utf-8"><title>${name}</title>
<style>body { margin: 0; background: #000 } video { width: 100vw }</style><video muted></video>
<script src="/${name}.script"></script><script>
const video = document.querySelector("video");
const url = decodeURIComponent(location.search.slice(1));
const seen = { errors: [] };
video.addEventListener("error", () => seen.errors.push(String(video.error?.message)));
${START[name](settings)}
</script>`,
        { headers: { "content-type": "text/html; charset=utf-8" } },
      );
    },
  );
  const { port } = server.addr;
  return {
    url: (player, manifestUrl) =>
      `http://127.0.0.1:${port}/${player}?${encodeURIComponent(manifestUrl)}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
