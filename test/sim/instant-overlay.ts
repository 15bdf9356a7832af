export { InstantOverlay } from "../../lib/simulator/instant-overlay.ts";
