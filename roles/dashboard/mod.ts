import { flag, serverFlags } from "../../lib/cli/flags.ts";
import { mode, type Role } from "../../lib/role.ts";
import { serveDashboard } from "./serve.ts";

/** The live page: every role on the LAN, and what happens in those that let it be seen. */
export const dashboard: Role = {
  name: "dashboard",
  summary: "The live page: what every role is doing now",
  events: ["instance.found", "instance.lost", "feed.opened", "feed.lost"],
  examples: [
    "rolecall dashboard",
    "rolecall dashboard --watch 127.0.0.1:9100 --watch 10.0.0.2:9100",
    "rolecall dashboard --host 127.0.0.1 --alone --watch 127.0.0.1:9100",
  ],
  modes: {
    server: mode({
      endless: true,
      summary:
        "Serves a page of the roles on this LAN and the events of those with --admin",
      flags: {
        ...serverFlags({ port: 8088 }),
        watch: flag.list(flag.hostPort({
          help: "Also follows the role whose --admin is here",
        })),
        alone: flag.toggle({
          help: "Does not look for roles on the LAN: only those of --watch",
        }),
      },
      run: serveDashboard,
    }),
  },
};
