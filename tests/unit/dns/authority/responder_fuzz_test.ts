import {
  checkAnswer,
  fuzz,
  wellFormedQueries,
} from "../../../support/dns_fuzz.ts";
import { responderFor, SITE_ZONE, ZONE } from "./ask.ts";

Deno.test("Responder says nothing or something well-formed to every query cut off at every byte", () => {
  const responder = responderFor([ZONE, SITE_ZONE]);
  for (const query of wellFormedQueries()) {
    for (let length = 0; length <= query.length; length++) {
      checkAnswer(responder, query.subarray(0, length), "udp");
    }
  }
});

Deno.test("Responder says nothing or something well-formed, and no more than it got, to 20,000 damaged messages", () => {
  fuzz(responderFor([ZONE, SITE_ZONE]), { count: 20_000, seed: 20261126 });
});
