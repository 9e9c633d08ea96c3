import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { MAX_MPD_BYTES } from "../../../lib/dash/mpd/xml.ts";
import { isNearestHit } from "../../../lib/http/cache/cache_status.ts";
import type { Edge } from "../answer/edge.ts";
import { OwnRequest } from "../requests/own_request.ts";
import { isPage } from "./titles.ts";

/** How much of a body is asked for at once. */
const PIECE_BYTES = 65_536;

/** What came of an errand. */
export interface Errand {
  readonly status: number;
  readonly bytes: number;
  /** It was in the cache already. */
  readonly isHit: boolean;
  /** It is a page for people, whatever it is called: {@linkcode isPage}. */
  readonly isPage: boolean;
}

/** What the edge asks of itself: the answer goes through the cache like any other. */
export class Errands {
  readonly #edge: Pick<Edge, "handle">;
  readonly #signal: AbortSignal;

  /** Runs errands until the signal aborts. */
  constructor(edge: Pick<Edge, "handle">, signal: AbortSignal) {
    this.#edge = edge;
    this.#signal = signal;
  }

  /**
   * Gets a target into the cache.
   *
   * @throws Whatever breaks its body off.
   */
  get(target: string): Promise<Errand> {
    return this.#run(target, () => {});
  }

  /**
   * Gets a text, such as a manifest.
   *
   * @throws {RunError} `manifest-refused`, `too-large`; whatever breaks its body off.
   */
  async text(target: string): Promise<string> {
    const collected = new ByteCollector();
    const { status, isPage } = await this.#run(target, (piece) => {
      if (collected.length + piece.length > MAX_MPD_BYTES) {
        throw new RunError(
          "too-large",
          `Cannot read ${target}: it must have at most ${MAX_MPD_BYTES} bytes`,
        );
      }
      collected.push(piece);
    });
    if (status !== 200) {
      throw new RunError(
        "manifest-refused",
        `Cannot read ${target}: the origin answered ${status}`,
      );
    }
    if (isPage) {
      throw new RunError(
        "manifest-refused",
        `Cannot read ${target}: the origin answered with a page (text/html)`,
      );
    }
    return fromUtf8(collected.bytes);
  }

  async #run(
    target: string,
    take: (piece: Uint8Array) => void,
  ): Promise<Errand> {
    const { status, headers, body } = await this.#edge.handle(
      new OwnRequest(target, this.#signal),
    );
    const about = {
      status,
      isHit: isNearestHit(headers.get("cache-status")),
      isPage: isPage(headers),
    };
    if (body === null) return { ...about, bytes: 0 };
    if (body instanceof Uint8Array) {
      take(body);
      return { ...about, bytes: body.length };
    }
    let bytes = 0;
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const piece = await body.next(PIECE_BYTES);
        if (piece === null) return { ...about, bytes };
        bytes += piece.length;
        take(piece);
      }
    } catch (error) {
      if (this.#signal.aborted || error instanceof RunError) body.leave();
      throw error;
    }
  }
}
