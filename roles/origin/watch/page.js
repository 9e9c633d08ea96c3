/**
 * The page that plays a title in the browser: dash.js plays, this shows what it did and where the segments came from.
 *
 * What caches did is read from Cache-Status (RFC 9211): an answer without it came from the origin itself.
 */
import dashjs from "/watch/dash.js";

/** Of the time the charts show, and of the segments the table lists. */
const WINDOW_SECONDS = 120;
const LISTED = 20;
/** Before everything else: a page left open all day keeps what it shows, and no more. */
const KEPT_SEGMENTS = 1000;

const video = find("video");
const manifest = location.pathname.slice("/watch".length);

/** What was seen, for scripts and tests too. */
const seen = {
  title: "",
  segments: [],
  buffers: [],
  stalls: [],
  errors: [],
};
globalThis.rolecall = seen;

const startedAt = performance.now();

function find(selector) {
  return document.querySelector(selector);
}

/** Since the page was opened. */
function seconds() {
  return (performance.now() - startedAt) / 1000;
}

function bitRate(bitsPerSecond) {
  return bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

function size(bytes) {
  return bytes >= 2 ** 20
    ? `${(bytes / 2 ** 20).toFixed(2)} MiB`
    : `${Math.round(bytes / 1024)} KiB`;
}

function milliseconds(ms) {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : "–";
}

/** Who answered: the cache next to us is the last of the list. */
function sourceOf(headers) {
  const status = headers["cache-status"];
  if (!status) return { kind: "origin", name: "origin", said: "" };
  const nearest = status.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).at(-1).trim();
  const name = nearest.split(";")[0].trim().replace(/^"|"$/g, "");
  const hit = /;\s*hit\b/.test(nearest);
  const kind = hit ? "hit" : "miss";
  return { kind, name: `${name}, ${kind}`, said: status };
}

/** Notes one answer that dash.js got; hands it on as it is. */
function note(response) {
  const request = response.request?.customData?.request;
  if (request?.type === "MPD") noteManifest(response);
  if (request?.type !== "MediaSegment" || request.mediaType !== "video") {
    return response;
  }
  const { duration, encodedBodySize } = response.resourceTiming;
  const { representation } = request;
  seen.segments.push({
    atSeconds: seconds(),
    // As the picture, file names and our own player count: from 1.
    number: request.index + 1,
    height: representation?.height ?? 0,
    bitsPerSecond: representation?.bandwidth ?? request.bandwidth,
    bytes: response.data?.byteLength ?? encodedBodySize,
    firstByteMs: firstByteMs(response.resourceTiming),
    durationMs: duration,
    status: response.status,
    ...sourceOf(response.headers),
  });
  if (seen.segments.length > KEPT_SEGMENTS) seen.segments.shift();
  return response;
}

/** Of what comes from the browser's own cache dash.js takes the beginning from another clock, that of the day, or from none. */
function firstByteMs({ startTime, responseStart }) {
  const origin = responseStart > performance.timeOrigin
    ? performance.timeOrigin
    : 0;
  return responseStart - origin - startTime;
}

function noteManifest(response) {
  if (typeof response.data !== "string") return;
  const xml = new DOMParser().parseFromString(response.data, "text/xml");
  const title = xml.querySelector("ProgramInformation > Title")?.textContent;
  seen.title = title || decodeURIComponent(manifest.slice(1));
  find("h1").textContent = seen.title;
  document.title = `${seen.title} · rolecall`;
  const { kind, name } = sourceOf(response.headers);
  const page = find("#page");
  page.textContent = kind === "origin"
    ? `${location.host}, the origin`
    : `${location.host}: ${name.split(",")[0]}, an edge`;
}

function fail(text) {
  seen.errors.push(text);
  const trouble = find("#trouble");
  trouble.hidden = false;
  trouble.textContent = text;
}

const player = dashjs.MediaPlayer().create();
// CMCD (CTA-5004) in headers: an edge tells its teacher how the players are, and no URL changes.
player.updateSettings({
  streaming: { cmcd: { enabled: true, mode: "headers" } },
});
player.addResponseInterceptor((response) => Promise.resolve(note(response)));
player.on("error", ({ error }) => fail(error?.message ?? String(error)));
player.on("playbackStalled", () => seen.stalls.push({ atSeconds: seconds() }));
player.on("streamInitialized", () => {
  const choice = find("select");
  choice.replaceChildren(choice.firstElementChild);
  for (const [index, one] of rates().entries()) {
    const text = `${one.height}p, ${bitRate(one.bandwidth)}`;
    choice.append(new Option(text, String(index)));
  }
});
find("select").addEventListener("change", ({ target }) => {
  const auto = target.value === "auto";
  player.updateSettings({
    streaming: { abr: { autoSwitchBitrate: { video: auto } } },
  });
  if (!auto) {
    player.setRepresentationForTypeByIndex("video", Number(target.value));
  }
});

function rates() {
  return player.getRepresentationsByType("video") ?? [];
}

/** Makes one SVG element. */
function draw(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  if (text !== undefined) element.textContent = text;
  return element;
}

const LEFT = 90;
const RIGHT = 990;

/** Places for values: seconds from left to right, amounts from bottom to top. */
function scales(to, most, { top, bottom }) {
  const from = Math.max(0, to - WINDOW_SECONDS);
  const span = Math.max(20, to - from);
  return {
    from,
    x: (at) => LEFT + (Math.max(at, from) - from) / span * (RIGHT - LEFT),
    y: (value) => bottom - Math.min(1, value / most) * (bottom - top),
  };
}

function grid(lines, { y }) {
  return lines.flatMap(([value, label]) => [
    draw("line", {
      x1: LEFT,
      x2: RIGHT,
      y1: y(value),
      y2: y(value),
      stroke: "var(--rule)",
    }),
    draw("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, label),
  ]);
}

function drawRates(now) {
  const ladder = rates();
  const top = Math.max(1, ...ladder.map(({ bandwidth }) => bandwidth));
  const place = scales(now, top * 1.6, { top: 12, bottom: 210 });
  const shown = seen.segments.filter(({ atSeconds }) =>
    atSeconds >= place.from
  );
  const steps = shown.map(({ atSeconds, bitsPerSecond }, at) => {
    const x = place.x(atSeconds);
    const y = place.y(bitsPerSecond);
    return at === 0 ? `M${x} ${y}` : `H${x}V${y}`;
  }).join("");
  const speeds = shown.map((one, at) => {
    const speed = one.bytes * 8000 / Math.max(1, one.durationMs);
    return `${at === 0 ? "M" : "L"}${place.x(one.atSeconds)} ${place.y(speed)}`;
  }).join("");
  const stroke = { fill: "none", "stroke-width": 2.5 };
  find("#rates").replaceChildren(
    ...grid([
      [0, "0"],
      ...ladder.map((one) => [one.bandwidth, `${one.height}p`]),
    ], place),
    draw("path", {
      d: speeds,
      stroke: "var(--link)",
      "stroke-dasharray": "3 5",
      ...stroke,
    }),
    draw("path", { d: steps, stroke: "var(--rate)", ...stroke }),
    ...shown.map((one) =>
      draw("circle", {
        cx: place.x(one.atSeconds),
        cy: place.y(one.bitsPerSecond),
        r: 5,
        fill: one.kind === "miss" ? "var(--paper)" : `var(--${one.kind})`,
        stroke: `var(--${one.kind})`,
        "stroke-width": 2.5,
      })
    ),
  );
}

/** What the charts are from and to. */
function tellWindow(now) {
  const from = Math.max(0, now - WINDOW_SECONDS);
  find("#window").textContent = `${Math.round(from)} s to ${Math.round(now)} s`;
}

function drawBuffers(now) {
  const most = Math.max(10, ...seen.buffers.map(({ level }) => level));
  const place = scales(now, most, { top: 18, bottom: 105 });
  const shown = seen.buffers.filter(({ atSeconds }) => atSeconds >= place.from);
  if (shown.length === 0) return;
  const line = shown.map(({ atSeconds, level }) =>
    `L${place.x(atSeconds)} ${place.y(level)}`
  ).join("");
  const first = place.x(shown[0].atSeconds);
  const last = place.x(shown.at(-1).atSeconds);
  find("#buffers").replaceChildren(
    ...grid([[0, "0 s"], [most, `${Math.round(most)} s`]], place),
    draw("path", {
      d: `M${first} ${place.y(0)}${line}L${last} ${place.y(0)}Z`,
      fill: "var(--rate)",
      "fill-opacity": 0.25,
      stroke: "none",
    }),
    ...seen.stalls.filter(({ atSeconds }) => atSeconds >= place.from).map(
      ({ atSeconds }) =>
        draw("rect", {
          x: place.x(atSeconds) - 2,
          y: 18,
          width: 4,
          height: 87,
          fill: "var(--miss)",
        }),
    ),
  );
}

function row(one) {
  const cells = [
    [one.number, "number"],
    [`${one.height}p`, ""],
    [size(one.bytes), "number"],
    [milliseconds(one.firstByteMs), "number"],
    [milliseconds(one.durationMs), "number"],
    [one.name, one.kind],
    [one.said, ""],
  ];
  const line = document.createElement("tr");
  for (const [text, kind] of cells) {
    const cell = line.insertCell();
    cell.textContent = text;
    cell.className = kind;
  }
  return line;
}

/** How many segments came from where, most first. */
function sources() {
  const counts = new Map();
  for (const { name } of seen.segments) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} × ${name}`).join("; ");
}

let listed = 0;
let told = 0;

function show() {
  const now = seconds();
  const level = player.getBufferLength("video") || 0;
  seen.buffers.push({ atSeconds: now, level });
  if (seen.buffers.length > WINDOW_SECONDS * 4) seen.buffers.shift();
  find("#buffer").textContent = `${level.toFixed(1)} s`;
  const behind = player.getCurrentLiveLatency();
  if (behind > 0) {
    find("#behind").textContent = `${behind.toFixed(1)} s`;
    for (const part of document.querySelectorAll(".live")) part.hidden = false;
  }
  const rate = player.getCurrentRepresentationForType("video");
  find("#rate").textContent = rate
    ? `${rate.height}p, ${bitRate(rate.bandwidth)}`
    : "–";
  const kbps = player.getAverageThroughput("video");
  find("#throughput").textContent = kbps > 0 ? bitRate(kbps * 1000) : "–";
  if (seen.stalls.length > 0) {
    find("#stalls").textContent = String(seen.stalls.length);
  }
  drawRates(now);
  tellWindow(now);
  drawBuffers(now);
  const last = seen.segments.at(-1)?.atSeconds ?? 0;
  if (last === told && listed > 0) return;
  told = last;
  const rows = seen.segments.slice(-LISTED).reverse().map(row);
  listed = rows.length;
  find("tbody").replaceChildren(...rows);
  find("#sources").textContent = sources() || "–";
}

player.initialize(video, new URL(manifest, location.href).href, true);
setInterval(show, 250);
