/** A request's body as a stream that asks for the next piece only when somebody reads it. */
export class RequestBody {
  /** For the handler. */
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulled: (() => void) | undefined;

  /** Creates the body of a request whose head was read; `want` asks the connection for more of it. */
  constructor(want: () => void) {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () =>
        new Promise<void>((resolve) => {
          this.#pulled = resolve;
          want();
        }),
      cancel: () => this.#done(),
    }, { highWaterMark: 0 });
  }

  /** A piece came. */
  push(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
    this.#resume();
  }

  /** That was the last. */
  end(): void {
    const controller = this.#controller;
    this.#done();
    controller?.close();
  }

  /** The rest will never come. */
  fail(error: Error): void {
    const controller = this.#controller;
    this.#done();
    controller?.error(error);
  }

  #done(): void {
    this.#controller = undefined;
    this.#resume();
  }

  #resume(): void {
    this.#pulled?.();
    this.#pulled = undefined;
  }
}
