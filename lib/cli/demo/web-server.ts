import { claimPidFile } from "../../daemon/pid-file.ts";
import type { CommandHandler } from "../context.ts";

/** The tiny web server that runs in a container of the demonstration until it is killed. */
export const demoWeb: CommandHandler = async ({ arguments: words, stdout }) => {
  claimPidFile(words[0]!);
  Bun.serve({
    port: 80,
    fetch: () => new Response("Hello from the container web on host1, over the weave network.\n"),
  });
  stdout.write("ready\n");
  return new Promise(() => {});
};
