import { claimPidFile } from "../../daemon/pid-file.ts";
import type { CommandHandler } from "../context.ts";
import { webPidFile } from "./scene.ts";

/** The tiny web server that runs in a container of the demonstration until it is killed. */
export const demoWeb: CommandHandler = async ({ stdout }) => {
  claimPidFile(webPidFile);
  Bun.serve({
    port: 80,
    fetch: () => new Response("Hello from the container web on host1, over the weave network.\n"),
  });
  stdout.write("ready\n");
  return new Promise(() => {});
};
