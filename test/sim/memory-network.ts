export { type Link, MemoryHost, MemoryNetwork } from "../../lib/simulator/memory-network.ts";
