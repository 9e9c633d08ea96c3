import {
  type Area,
  Canvas,
  cellsOf,
  type Colour,
  textWidth,
} from "./canvas.ts";
import {
  copyMosaic,
  createMosaic,
  type Mosaic,
  type MovingColumns,
} from "./mosaic.ts";

/**
 * The picture of the built-in title, in the manner of television's test cards.
 *
 * The design is 160 by 90 units, whatever the size: a unit is one cell at 360p and two at 720p, so a class sees that
 * more lines are more detail. What tells the rates apart from the back of the room is the plate with the height, in
 * a colour of its own; the leader's disc counts the seconds of a segment down, the bar below runs through it.
 */
const DESIGN_HEIGHT = 90;

/** What a card says. */
export interface CardText {
  readonly title: string;
  /** Picture height, such as 720. */
  readonly height: number;
  readonly bitsPerSecond: number;
  /** Place of the rate in the ladder, from 0. */
  readonly rung: number;
  readonly framesPerSecond: number;
  readonly framesPerSegment: number;
  /** The title began at midnight: what it shows is the time of day (UTC). */
  readonly clock: boolean;
}

/** Colour bars at 75 %: white, yellow, cyan, green, magenta, red, blue, black. */
const BARS: readonly Colour[] = [
  { luma: 180, cb: 128, cr: 128 },
  { luma: 168, cb: 44, cr: 136 },
  { luma: 145, cb: 147, cr: 44 },
  { luma: 133, cb: 63, cr: 52 },
  { luma: 63, cb: 193, cr: 204 },
  { luma: 51, cb: 109, cr: 212 },
  { luma: 28, cb: 212, cr: 120 },
  { luma: 16, cb: 128, cr: 128 },
];

/** A hue for each place in the ladder: amber, teal, violet, then again. */
const ACCENTS: readonly Colour[] = [
  { luma: 84, cb: 72, cr: 164 },
  { luma: 84, cb: 140, cr: 84 },
  { luma: 78, cb: 172, cr: 148 },
];

const SLATE: Colour = { luma: 38, cb: 134, cr: 124 };
const GRID_LUMA = 56;
const WHITE = 225;
const DIM = 150;

// Multiples of 6 fall on chroma cells at 360p, 480p and 720p alike.
const BARS_HEIGHT = 6;
const PLATE: Area = { x: 6, y: 18, width: 96, height: 36 };
const TRACK_Y = 84;
const TRACK_HEIGHT = 6;
const HEAD_WIDTH = 6;
/** Letters that fit in a line. */
const TITLE_LETTERS = 24;
const DISC = { x: 131, y: 36, radius: 17 };
/** Parts of a cell of the disc's map. */
const OUTSIDE = 255;
const RIM = 254;
/** The hand moves 15 degrees at a time. */
const SECTORS = 24;
/** Discs that are kept: those of a segment of ten seconds. */
const KEPT_DISCS = 10 * SECTORS;
/** The number of the segment and the time have this line, in letters of two units. */
const LINE = { y: 66, size: 2, luma: WHITE };
const NUMBER_X = 6;
const TIME_X = 60;

/** Paints the frames of one rate of the title; every frame can be painted by itself. */
export class TestCard {
  readonly #text: CardText;
  readonly #picture: Mosaic;
  readonly #still: Mosaic;
  readonly #canvas: Canvas;
  readonly #discCells: number;
  /** Of the disc's square in the picture: its first cell. */
  readonly #discAt: number;
  /** The square's rows for positions of the hand and seconds left, once they were needed. */
  readonly #discs = new Map<number, readonly Uint8Array[]>();
  /** What the picture says now. */
  #number = "";
  #time = "";
  #disc = -1;
  #ran = 0;

  /** Paints pictures of so many macroblocks. */
  constructor(text: CardText, columns: number, rows: number) {
    this.#text = text;
    this.#picture = createMosaic(columns, rows);
    this.#still = createMosaic(columns, rows);
    const scale = text.height / 4 / DESIGN_HEIGHT;
    this.#canvas = new Canvas(this.#picture, scale);
    this.#discCells = 2 * Math.round(DISC.radius * scale);
    const left = Math.round(DISC.x * scale) - this.#discCells / 2;
    const top = Math.round(DISC.y * scale) - this.#discCells / 2;
    this.#discAt = 4 * columns * top + left;
    paintStill(new Canvas(this.#still, scale), text);
    copyMosaic(this.#picture, this.#still);
  }

  /** Where pictures differ from each other. */
  get moving(): MovingColumns {
    const { columns, rows } = this.#picture;
    const stride = 4 * columns / this.#canvas.scale;
    const { radius } = DISC;
    const places: readonly Area[] = [
      { x: 0, y: LINE.y, width: stride, height: 7 * LINE.size },
      {
        x: DISC.x - radius,
        y: DISC.y - radius,
        width: 2 * radius,
        height: 2 * radius,
      },
      { x: 0, y: TRACK_Y, width: stride, height: TRACK_HEIGHT },
    ];
    const moving = Array.from(
      { length: rows },
      () => [] as (readonly [number, number])[],
    );
    for (const place of places) {
      // A cell more on each side: edges are rounded.
      const [left, right, top, bottom] = cellsOf(place, this.#canvas.scale) as [
        ...[number, number, number, number],
      ];
      const first = Math.max(0, Math.floor((left - 1) / 4));
      const end = Math.min(columns, Math.ceil((right + 1) / 4));
      const lastRow = Math.min(rows, Math.ceil((bottom + 1) / 4));
      for (let row = Math.max(0, (top - 1) >> 2); row < lastRow; row++) {
        const ranges = moving[row]!;
        if (ranges.length === 0) ranges.push([first, end]);
        // Small pictures have several of them in one row.
        else {
          const [[from, to]] = ranges as [readonly [number, number]];
          ranges[0] = [Math.min(from, first), Math.max(to, end)];
        }
      }
    }
    return moving;
  }

  /** Draws the disc on what is under it. */
  #drawDisc(swept: number): readonly Uint8Array[] {
    const { luma, columns } = this.#still;
    const size = this.#discCells;
    const map = mapDisc(size);
    return Array.from({ length: size }, (_, y) => {
      const at = this.#discAt + 4 * columns * y;
      return luma.slice(at, at + size).map((under, x) => {
        const part = map[size * y + x]!;
        if (part === OUTSIDE) return under;
        return part === RIM ? WHITE : part <= swept ? 176 : 118;
      });
    });
  }

  /** Paints frame `frame` of the title, from 0. The picture is overwritten by the next call. */
  paint(frame: number): Mosaic {
    const { framesPerSegment } = this.#text;
    const canvas = this.#canvas;
    const inSegment = frame % framesPerSegment;
    const segmentNumber = Math.floor(frame / framesPerSegment) + 1;
    this.#writeNumber(String(segmentNumber));
    const time = timecode(frame, this.#text);
    canvas.retext(time, this.#time, this.#still, { ...LINE, x: TIME_X });
    this.#time = time;
    this.#paintLeader(inSegment);
    const track = { x: 0, y: TRACK_Y, height: TRACK_HEIGHT };
    const width = this.#picture.columns * 4 / canvas.scale;
    if (inSegment < this.#ran) {
      canvas.copy(this.#still, cellsOf({ ...track, width }, canvas.scale));
    }
    this.#ran = inSegment;
    const run = (width - HEAD_WIDTH) * inSegment / framesPerSegment;
    canvas.fillLuma({ ...track, width: run }, 110);
    canvas.fillLuma({ ...track, x: run, width: HEAD_WIDTH }, WHITE);
    return this.#picture;
  }

  #writeNumber(number: string): void {
    const before = this.#number;
    if (number === before) return;
    const canvas = this.#canvas;
    const sizeOf = (text: string) => text.length > 4 ? 1.5 : LINE.size;
    const size = sizeOf(number);
    const place = { ...LINE, x: NUMBER_X };
    if (size === sizeOf(before)) {
      canvas.retext(number, before, this.#still, { ...place, size });
    } else {
      canvas.retext("", before, this.#still, {
        ...{ ...place, size: sizeOf(before) },
      });
      canvas.text(number, { ...place, size });
    }
    this.#number = number;
  }

  /** The countdown leader: a hand that goes round once a second, and the seconds left in the segment. */
  #paintLeader(inSegment: number): void {
    const { framesPerSecond, framesPerSegment } = this.#text;
    const { luma, columns } = this.#picture;
    const swept = Math.floor(
      (inSegment % framesPerSecond) * SECTORS / framesPerSecond,
    );
    const secondsLeft = Math.ceil(
      (framesPerSegment - inSegment) / framesPerSecond,
    );
    const key = secondsLeft * SECTORS + swept;
    if (key === this.#disc) return;
    this.#disc = key;
    const stride = 4 * columns;
    const show = (rows: readonly Uint8Array[]) => {
      let at = this.#discAt;
      for (const row of rows) {
        luma.set(row, at);
        at += stride;
      }
    };
    const kept = this.#discs.get(key);
    if (kept !== undefined) return show(kept);
    show(this.#drawDisc(swept));
    const digit = String(secondsLeft);
    this.#canvas.text(digit, {
      x: DISC.x - textWidth(digit, 3) / 2,
      y: DISC.y - 10.5,
      size: 3,
      luma: 20,
    });
    const size = this.#discCells;
    if (this.#discs.size >= KEPT_DISCS) this.#discs.clear();
    this.#discs.set(
      key,
      Array.from({ length: size }, (_, y) => {
        const at = this.#discAt + stride * y;
        return luma.slice(at, at + size);
      }),
    );
  }
}

/** What stays: ground, grid, bars, title, plate, labels, track. */
function paintStill(canvas: Canvas, text: CardText): void {
  const { mosaic, scale } = canvas;
  const width = 4 * mosaic.columns / scale;
  const height = 4 * mosaic.rows / scale;
  canvas.fill({ x: 0, y: 0, width, height }, SLATE);
  const line = 1 / scale;
  for (let x = 10; x < width; x += 10) {
    canvas.fillLuma({ x, y: 0, width: line, height }, GRID_LUMA);
  }
  for (let y = 10; y < height; y += 10) {
    canvas.fillLuma({ x: 0, y, width, height: line }, GRID_LUMA);
  }
  BARS.forEach((colour, at) =>
    canvas.fill({
      x: 20 * at,
      y: 0,
      width: width - 20 * at,
      height: BARS_HEIGHT,
    }, colour)
  );
  const accent = ACCENTS[text.rung % ACCENTS.length]!;
  canvas.fill(PLATE, accent);
  canvas.fill({ x: 0, y: TRACK_Y, width, height: TRACK_HEIGHT }, {
    ...accent,
    luma: 24,
  });
  canvas.text(text.title.toUpperCase().slice(0, TITLE_LETTERS), {
    x: 6,
    y: 9,
    size: 1,
    luma: WHITE,
  });
  canvas.text(`${text.height}p`, { x: 8, y: 22, size: 4, luma: WHITE });
  canvas.text("SEGMENT", { x: 6, y: 56, size: 1, luma: DIM });
  const rate = `${Math.round(text.bitsPerSecond / 1000)} KBIT/S`;
  canvas.text(rate, {
    x: 154 - textWidth(rate, 1),
    y: 56,
    size: 1,
    luma: DIM,
  });
}

/**
 * Minutes, seconds and frames, `10:34.14`; from 100 minutes on, and as a clock, hours, minutes and seconds: there is
 * room for eight letters.
 */
function timecode(
  frame: number,
  { framesPerSecond, clock }: Pick<CardText, "framesPerSecond" | "clock">,
): string {
  const seconds = Math.floor(frame / framesPerSecond);
  const minutes = Math.floor(seconds / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  return clock || minutes >= 100
    ? `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}:${
      two(seconds % 60)
    }`
    : `${two(minutes)}:${two(seconds % 60)}.${two(frame % framesPerSecond)}`;
}

/** Tangents of 15, 30, 45, 60 and 75 degrees, in thousandths: whole numbers, so that every engine draws the same. */
const TANGENTS = [268, 577, 1000, 1732, 3732];

/** For each cell of a disc's square: its sector, clockwise from twelve o'clock, or rim, or outside. */
function mapDisc(size: number): Uint8Array {
  const map = new Uint8Array(size * size);
  const rim = Math.max(2, Math.round(size / 18));
  for (let at = 0; at < map.length; at++) {
    // Twice the distance of the cell's middle from the centre, which lies between cells.
    const dx = 2 * (at % size) + 1 - size;
    const dy = 2 * Math.floor(at / size) + 1 - size;
    const squared = dx * dx + dy * dy;
    map[at] = squared > size * size
      ? OUTSIDE
      : squared > (size - rim) * (size - rim)
      ? RIM
      : sectorOf(dx, dy);
  }
  return map;
}

function sectorOf(dx: number, dy: number): number {
  const quarter = dx >= 0 ? (dy < 0 ? 0 : 1) : dy >= 0 ? 2 : 3;
  // Turned into the first quarter: `across` grows from 0 at its start.
  const [across, along] = quarter % 2 === 0
    ? [Math.abs(dx), Math.abs(dy)]
    : [Math.abs(dy), Math.abs(dx)];
  const steps = TANGENTS.filter((tangent) => 1000 * across >= tangent * along);
  return 6 * quarter + steps.length;
}
