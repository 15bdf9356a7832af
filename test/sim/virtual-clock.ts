export { VirtualClock } from "../../lib/simulator/virtual-clock.ts";
