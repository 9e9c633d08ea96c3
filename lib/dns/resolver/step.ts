/** The numbered steps of a resolution, as the lecture's figure has them: each message to an authority, and each back. */
import { type Cidr, formatCidr, formatHostPort } from "../../core/address.ts";
import type { RecursionEvent } from "../../events/recursion.ts";
import { typeName } from "../codes.ts";
import { displayName, type Name } from "../name.ts";
import type { Asked } from "./reply.ts";
import type { ServerAddress } from "./servers.ts";

/** Who counts the steps of one resolution and tells of them. */
export interface StepTeller {
  readonly resolution: number;
  /** The step that was last. */
  step: number;
  sentMessages: number;
  /** Kept up to date by whoever drives the resolution. */
  nowMs: number;
  /** Tells the class. */
  readonly emit: (event: RecursionEvent) => void;
}

/** One message and its reply, as two numbered steps. */
export class Step {
  readonly #teller: StepTeller;
  readonly #about;
  readonly #sentAtMs: number;

  /** Tells that a message is sent now. */
  constructor(
    teller: StepTeller,
    { server, asked, transport, subnet }: {
      readonly server: ServerAddress & { readonly name: Name };
      readonly asked: Asked;
      readonly transport: "udp" | "tcp";
      readonly subnet: Cidr | undefined;
    },
  ) {
    this.#teller = teller;
    this.#sentAtMs = teller.nowMs;
    teller.sentMessages += 1;
    teller.step += 1;
    this.#about = {
      resolution: teller.resolution,
      server: formatHostPort(server),
      serverName: displayName(server.name),
      zone: displayName(asked.zone),
      question: displayName(asked.name),
      recordType: typeName(asked.type),
    };
    teller.emit({
      type: "recursion.asked",
      ...this.#about,
      step: teller.step,
      transport,
      clientSubnet: subnet === undefined ? "" : formatCidr(subnet),
    });
  }

  /** How long ago the message was sent. */
  get elapsedMs(): number {
    return this.#teller.nowMs - this.#sentAtMs;
  }

  /** Tells what came back. */
  tell(
    result: (RecursionEvent & { type: "recursion.replied" })["result"],
    detail: string,
    outOfBailiwick = 0,
  ): void {
    this.#teller.step += 1;
    this.#teller.emit({
      type: "recursion.replied",
      ...this.#about,
      step: this.#teller.step,
      result,
      detail,
      outOfBailiwick,
      elapsedMs: this.elapsedMs,
    });
  }
}
