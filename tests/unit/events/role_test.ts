import { assertEquals } from "@std/assert";
import { textOf } from "../../../lib/events/mod.ts";

Deno.test("role events name where a role listens in a form that a browser and a client take", () => {
  const at = { host: "::1", port: 9100 };
  assertEquals(
    textOf({ type: "admin.listening", ...at }),
    "metrics and events at http://[::1]:9100/",
  );
  assertEquals(
    textOf({ type: "role.listening", transport: "udp", ...at }),
    "listening on udp [::1]:9100",
  );
});
