import type { EventTable } from "./table.ts";

/** What the echo roles can say. */
export type EchoEvent = {
  readonly type: "echo.answered";
  readonly message: string;
};

/** See {@linkcode EchoEvent}. */
export const ECHO_EVENTS: EventTable<EchoEvent> = {
  "echo.answered": { level: "info", text: (e) => e.message },
};
