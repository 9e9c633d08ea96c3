/** What a role adds to the endpoint of `--admin`. Without `--admin` nobody asks for it. */
export class AdminPages {
  readonly #metrics: (() => string | Promise<string>)[] = [];
  readonly #pages = new Map<
    string,
    (request: Request) => Response | Promise<Response>
  >();

  /** Adds lines to `/metrics`, in Prometheus' text format and with a line end; asked for each time somebody looks. */
  addMetrics(lines: () => string | Promise<string>): void {
    this.#metrics.push(lines);
  }

  /** Answers requests for a path, such as `/purge`; any method. */
  addPage(
    path: string,
    answer: (request: Request) => Response | Promise<Response>,
  ): void {
    this.#pages.set(path, answer);
  }

  /** Paths of the pages that were added, in their order. */
  get paths(): readonly string[] {
    return [...this.#pages.keys()];
  }

  /** For the endpoint: all added lines. */
  async metrics(): Promise<string> {
    const lines = await Promise.all(this.#metrics.map((lines) => lines()));
    return lines.join("");
  }

  /** For the endpoint: the answer of an added page, 404 without one. */
  answer(request: Request): Response | Promise<Response> {
    const page = this.#pages.get(new URL(request.url).pathname);
    return page?.(request) ?? new Response("Not found\n", { status: 404 });
  }
}
