import { assertEquals, assertRejects } from "@std/assert";
import {
  eTag,
  type ServerSentEventMessage,
  ServerSentEventStream,
  STATUS_CODE,
  STATUS_TEXT,
} from "@std/http";

async function streamed(
  ...messages: ServerSentEventMessage[]
): Promise<string> {
  return await new Response(
    ReadableStream.from(messages).pipeThrough(new ServerSentEventStream()),
  ).text();
}

Deno.test("ServerSentEventStream writes the fields of an event in order, one line each", async () => {
  assertEquals(
    await streamed(
      { retry: 5, id: 1, data: "a\nb\r\nc", event: "x", comment: "hi" },
      { data: "" },
    ),
    ":hi\nevent:x\ndata:a\ndata:b\ndata:c\nid:1\nretry:5\n\ndata:\n\n",
  );
});

Deno.test("ServerSentEventStream refuses an event name of two lines", async () => {
  await assertRejects(() => streamed({ event: "a\nb" }), SyntaxError);
});

Deno.test("eTag is strong for content and weak for files", async () => {
  assertEquals(await eTag(""), '"0-47DEQpj8HBSa+/TImW+5JCeuQeR"');
  assertEquals(
    await eTag(new TextEncoder().encode("hello")),
    await eTag("hello"),
  );
  assertEquals(await eTag("hello"), '"5-LPJNul+wow4m6DsqxbninhsWHlw"');
  assertEquals(
    await eTag("hello", { weak: true }),
    'W/"5-LPJNul+wow4m6DsqxbninhsWHlw"',
  );
  const file = await eTag({ size: 255, mtime: new Date(0) });
  assertEquals(file?.slice(0, 6), 'W/"ff-');
  assertEquals(await eTag({ size: 255, mtime: null }), undefined);
});

Deno.test("STATUS_TEXT has a phrase for each of STATUS_CODE", () => {
  for (const code of Object.values(STATUS_CODE)) {
    assertEquals(typeof STATUS_TEXT[code], "string");
  }
});
