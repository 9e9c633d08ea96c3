import type { CdnAct } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** x */
export async function playCdn(_act: CdnAct, _stage: Stage): Promise<void> {}
