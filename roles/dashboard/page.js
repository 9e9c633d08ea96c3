/**
 * The dashboard's page: a card for each role, with what it measures now and over the last minute, and the list of what
 * happened. All of it comes from the roles' own events, over one stream; nothing is made up here.
 */

/** Of the time the charts show, the events that are listed, and those that are kept for the filter. */
const WINDOW_MS = 60_000;
const LISTED = 60;
const KEPT = 1000;

/** What cards measure: of these events, these fields. The first one that is there is drawn, with its unit on its own scale. */
const MEASURES = {
  "segment.downloaded": {
    rate: ["bitsPerSecond", bitRate],
    throughput: ["throughputBitsPerSecond", bitRate],
    buffer: ["bufferMs", seconds],
  },
  "player.reported": {
    rate: ["bitsPerSecond", bitRate],
    throughput: ["throughputBitsPerSecond", bitRate],
    buffer: ["bufferMs", seconds],
  },
  "peer.progressed": {
    down: ["downloadBytesPerSecond", byteRate],
    up: ["uploadBytesPerSecond", byteRate],
  },
};
/** Fields that say how it went; others are marked by the role itself. */
const LABELS = { "edge.answered": "cacheStatus" };
const SERIES = ["first", "second", "third"];

/** Source id → what is known and measured of it. */
const cards = new Map();
/** Newest last. */
let events = [];
/** How far this browser's clock is ahead of the dashboard's. */
let clockAheadMs = 0;
let isPaused = false;
let chosen = null;

/** What is shown, for scripts and tests too. */
globalThis.rolecall = {
  get sources() {
    return [...cards.values()].map(({ source }) => source);
  },
  get events() {
    return events;
  },
};

function find(selector) {
  return document.querySelector(selector);
}

function make(name, props = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, props);
  made.append(...children);
  return made;
}

function bitRate(value) {
  return value >= 1e6
    ? `${(value / 1e6).toFixed(2)} Mbit/s`
    : `${Math.round(value / 1000)} kbit/s`;
}

function byteRate(value) {
  return value >= 2 ** 20
    ? `${(value / 2 ** 20).toFixed(2)} MiB/s`
    : `${(value / 1024).toFixed(0)} KiB/s`;
}

function seconds(value) {
  return `${(value / 1000).toFixed(1)} s`;
}

function newCard(source) {
  const parts = {
    state: make("span"),
    // The whole card takes clicks; the keyboard gets here.
    name: make("button", { type: "button", ariaPressed: "false" }),
    role: make("span", { className: "role" }),
    where: make("p"),
    figures: make("dl"),
    chart: document.createElementNS("http://www.w3.org/2000/svg", "svg"),
    last: make("p", { className: "last" }),
  };
  parts.chart.setAttribute("viewBox", "0 0 600 60");
  parts.chart.setAttribute("preserveAspectRatio", "none");
  parts.chart.setAttribute("role", "img");
  const article = make(
    "article",
    {
      onclick: () => choose(source.id),
      title: "Show the events of this one only",
    },
    make("h2", {}, parts.state, parts.name, " ", parts.role),
    parts.where,
    parts.figures,
    parts.chart,
    parts.last,
  );
  find("#roles").append(article);
  return {
    source,
    article,
    parts,
    times: [],
    series: new Map(),
    counts: new Map(),
  };
}

function choose(id) {
  chosen = chosen === id ? null : id;
  for (const { source, article, parts } of cards.values()) {
    article.classList.toggle("chosen", source.id === chosen);
    parts.name.ariaPressed = String(source.id === chosen);
  }
  list();
}

function takeSources(sources) {
  for (const source of sources) {
    const card = cards.get(source.id) ?? newCard(source);
    cards.set(source.id, card);
    card.source = source;
    const { article, parts } = card;
    article.className = source.id === chosen
      ? `${source.state} chosen`
      : source.state;
    parts.state.className = `state ${source.state}`;
    parts.state.textContent = source.state;
    parts.name.textContent = source.name;
    parts.role.textContent = source.role;
    parts.where.textContent = source.where;
    if (source.reason !== "") parts.last.textContent = source.reason;
  }
  const known = new Set(sources.map(({ id }) => id));
  for (const [id, { article }] of cards) {
    if (known.has(id)) continue;
    article.remove();
    cards.delete(id);
    if (chosen === id) chosen = null; // Else the list stayed empty, and nothing was there to click at.
  }
  const there = sources.filter(({ state }) => state !== "gone").length;
  const live = sources.filter(({ state }) => state === "live").length;
  find("#summary").textContent = there === 0
    ? "nobody is there; roles are found by themselves, and tell what they do when they are started with --admin"
    : `${there} ${there === 1 ? "role" : "roles"}, events of ${live}`;
}

function takeEvents(fresh) {
  for (const event of fresh) {
    const card = cards.get(event.source);
    if (card === undefined) continue;
    const { atMs } = event;
    card.times.push(atMs);
    count(card, event);
    if (event.level !== "debug") card.parts.last.textContent = event.text;
    const measures = Object.hasOwn(MEASURES, event.type)
      ? MEASURES[event.type]
      : {};
    for (const [name, [field, format]] of Object.entries(measures)) {
      const value = event.fields[field];
      if (typeof value !== "number") continue;
      const series = card.series.get(name) ?? { format, points: [] };
      series.points.push({ atMs, value });
      card.series.set(name, series);
    }
  }
  events = [...events, ...fresh].slice(-KEPT);
}

/** Counts what the role does, not what it says of itself, nor what somebody floods us with. */
function count({ counts }, { type, label: known, fields }) {
  const label = known || (fields[LABELS[type]] ?? "");
  if (/^(role|admin|protocol)\./.test(type)) return;
  const key = label === "" ? type : `${type} ${label}`;
  if (counts.has(key) || counts.size < 100) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}

/** Figures and chart of a card: its measures, or else how many events there are in a second. */
function draw(card, nowMs) {
  const fromMs = nowMs - WINDOW_MS;
  card.times = card.times.filter((atMs) => atMs >= fromMs);
  const figures = [];
  const shapes = [bars(card.times, fromMs)];
  let at = 0;
  for (const [name, series] of card.series) {
    const kept = series.points.filter(({ atMs }) => atMs >= fromMs);
    series.points = kept.length > 0 ? kept : series.points.slice(-1);
    const shown = SERIES[at++ % SERIES.length];
    figures.push([name, series.format(series.points.at(-1).value), shown]);
    shapes.push(line(series.points, fromMs, shown));
  }
  const recent = card.times.filter((atMs) => atMs >= nowMs - 5000).length;
  figures.push(["events/s", (recent / 5).toFixed(1), ""]);
  const counts = [...card.counts].sort((a, b) => b[1] - a[1]);
  for (const [type, count] of counts.slice(0, 4 - Math.min(at, 3))) {
    figures.push([type, String(count), ""]);
  }
  card.parts.figures.replaceChildren(
    ...figures.map(([name, value, shown]) =>
      make(
        "div",
        {},
        make("dt", { textContent: name }),
        make("dd", { textContent: value, className: shown }),
      )
    ),
  );
  card.parts.chart.replaceChildren(...shapes);
  card.parts.chart.setAttribute(
    "aria-label",
    `the last minute: ${
      figures.map((one) => one.slice(0, 2).join(" ")).join(", ")
    }`,
  );
}

function shape(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Events in each second. */
function bars(times, fromMs) {
  const counts = new Array(60).fill(0);
  for (const atMs of times) {
    const second = Math.floor((atMs - fromMs) / 1000);
    if (second >= 0 && second < 60) counts[second] += 1;
  }
  const most = Math.max(1, ...counts);
  return shape(
    "g",
    {},
    ...counts.map((count, second) =>
      shape("rect", {
        ...{ x: second * 10 + 1, width: 8, height: 56 * count / most },
        y: 60 - 56 * count / most,
      })
    ),
  );
}

function line(points, fromMs, shown) {
  const most = Math.max(1, ...points.map(({ value }) => value));
  const at = points.map(({ atMs, value }) =>
    `${((atMs - fromMs) / 100).toFixed(1)},${
      (58 - 54 * (value / most)).toFixed(1)
    }`
  );
  return shape("polyline", { points: at.join(" "), class: shown });
}

/** The newest events that the filter lets through. */
function list() {
  const only = find("#only").value.trim().toLowerCase();
  const hasDetails = find("#debug").checked;
  const shown = events.filter((event) =>
    (chosen === null || event.source === chosen) &&
    (hasDetails || event.level !== "debug") &&
    (only === "" ||
      `${nameOf(event)} ${event.type} ${event.text}`.toLowerCase().includes(
        only,
      ))
  ).slice(-LISTED).reverse();
  find("tbody").replaceChildren(...shown.map((event) => {
    const cells = [
      new Date(event.atMs + clockAheadMs).toLocaleTimeString([], {
        hour12: false,
      }),
      nameOf(event),
      event.type,
      event.text,
    ];
    return make(
      "tr",
      { className: event.level },
      ...cells.map((textContent) => make("td", { textContent })),
    );
  }));
}

function nameOf({ source }) {
  return cards.get(source)?.source.name ?? source;
}

function trouble(text) {
  find("#trouble").hidden = text === "";
  find("#trouble").textContent = text;
}

function connect() {
  const stream = new EventSource("/stream");
  let isFirst = true;
  stream.onopen = () => {
    isFirst = true;
    trouble("");
  };
  stream.onerror = () => trouble("The dashboard does not answer.");
  stream.addEventListener("sources", ({ data }) => {
    if (isFirst) forget();
    isFirst = false;
    takeSources(JSON.parse(data).sources);
  });
  stream.addEventListener("events", ({ data }) => {
    const { events: fresh, omitted, nowMs } = JSON.parse(data);
    clockAheadMs = Date.now() - nowMs;
    takeEvents(fresh);
    if (omitted > 0) find("#omitted").textContent = `${omitted} not shown`;
  });
}

/** A new stream begins with all there is. */
function forget() {
  events = [];
  for (const card of cards.values()) {
    card.times = [];
    card.series.clear();
    card.counts.clear();
  }
}

find("#only").oninput = list;
find("#debug").onchange = list;
find("#pause").onclick = () => {
  isPaused = !isPaused;
  find("#pause").textContent = isPaused ? "Go on" : "Pause";
  find("#pause").setAttribute("aria-pressed", String(isPaused));
};
connect();
setInterval(() => {
  if (isPaused) return;
  for (const card of cards.values()) draw(card, Date.now() - clockAheadMs);
  list();
}, 500);
