/**
 * A local stand-in for `@std/http` 1.x where JSR cannot be reached: what this project uses of it, with the same
 * names, types and behaviour.
 */
export { eTag, type ETagOptions, type FileInfo } from "./etag.ts";
export {
  type ServerSentEventMessage,
  ServerSentEventStream,
} from "./server_sent_event_stream.ts";
export { STATUS_CODE, STATUS_TEXT, type StatusCode } from "./status.ts";
