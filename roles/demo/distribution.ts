import type { DistributionAct } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** x */
export async function playDistribution(_act: DistributionAct, _stage: Stage): Promise<void> {}
