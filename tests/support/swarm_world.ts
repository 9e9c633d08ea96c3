/** The world of the simulations, as `rolecall demo --simulate` has it. */
export {
  type Host,
  type HostOptions,
  layoutOf,
  SwarmWorld,
} from "../../lib/sim/swarm_world.ts";
