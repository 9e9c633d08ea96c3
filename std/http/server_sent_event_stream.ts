/** One event of an event stream. */
export interface ServerSentEventMessage {
  /** Ignored by the client; keeps a connection alive. */
  comment?: string;
  event?: string;
  /** Any text; each of its lines becomes a line of the event. */
  data?: string;
  id?: string | number;
  /** How long the client waits before it connects again, in milliseconds. */
  retry?: number;
}

/** Turns events into the bytes of a `text/event-stream`. */
export class ServerSentEventStream
  extends TransformStream<ServerSentEventMessage, Uint8Array> {
  /** Creates the stream. */
  constructor() {
    const encoder = new TextEncoder();
    super({
      transform(message, controller) {
        controller.enqueue(encoder.encode(written(message)));
      },
    });
  }
}

/** @throws {SyntaxError} If the event's name or id has more than one line. */
function written(message: ServerSentEventMessage): string {
  const lines: string[] = [];
  const add = (field: string, value: string | number | undefined) => {
    if (value === undefined) return;
    const parts = String(value).split(/\r\n|\r|\n/);
    if (parts.length > 1 && (field === "event" || field === "id")) {
      throw new SyntaxError(`Cannot write event: ${field} has line breaks`);
    }
    for (const part of parts) lines.push(`${field}:${part}`);
  };
  add("", message.comment);
  add("event", message.event);
  add("data", message.data);
  add("id", message.id);
  add("retry", message.retry);
  return `${lines.join("\n")}\n\n`;
}
