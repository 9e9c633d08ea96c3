import type { EdgeAct } from "../../scenario/edge_act.ts";
import type { Stage } from "../../stage/stage.ts";
import { playCrowd } from "./crowd.ts";
import { playFailover } from "./failover.ts";
import { playPopularity } from "./popularity.ts";

/** What an edge is for, in three parts: many who want the same, many who want different things, and origins that go. */
export async function playEdge(act: EdgeAct, stage: Stage): Promise<void> {
  stage.begin(
    "edge",
    `A CDN's edge: ${act.clients} clients at once, ${act.requests} wishes, and two origins that go`,
  );
  const crowd = await playCrowd(act, stage);
  const popularity = await playPopularity(act, stage);
  const failover = await playFailover(stage);
  stage.figures.push({ act: "edge", crowd, popularity, failover });
}
