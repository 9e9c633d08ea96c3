import { seededRng } from "../../lib/core/rng.ts";
import type { RolecallEvent } from "../../lib/events/mod.ts";
import type { RoleContext } from "../../lib/role.ts";
import { ManualClock } from "./manual_clock.ts";

/** The parts of a {@linkcode RoleContext} of which a test gives as much as is used. */
type Parts = Pick<
  RoleContext,
  "net" | "files" | "processes" | "terminal" | "admin"
>;

/** What a test gives of the world; time and chance are made where it does not. */
type Given =
  & { readonly [K in keyof Parts]?: Partial<Parts[K]> }
  & Partial<Omit<RoleContext, keyof Parts>>;

/** A role's context of what a test gives, and what the role said. Whatever else is touched fails, and is named. */
export function roleContext(
  given: Given & { readonly clock?: ManualClock } = {},
): RoleContext & {
  readonly clock: ManualClock;
  readonly events: RolecallEvent[];
} {
  const events: RolecallEvent[] = [];
  return {
    name: "test",
    clock: new ManualClock(),
    rng: seededRng(1),
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    finish() {
      throw new Error("the test awaits no result");
    },
    ...given,
    net: partOf("net", given),
    files: partOf("files", given),
    processes: partOf("processes", given),
    terminal: partOf("terminal", given),
    admin: partOf("admin", given),
    events,
  };
}

function partOf<K extends keyof Parts>(name: K, given: Given): Parts[K] {
  const part: Partial<Parts[K]> = given[name] ?? {};
  return new Proxy(part, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value === "function") return value.bind(target);
      if (value !== undefined) return value;
      throw new Error(`the test gives no ${name}.${String(key)}`);
    },
  }) as Parts[K];
}
