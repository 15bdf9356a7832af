import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";

export const setupCni: CommandHandler = async ({ environment, flags, router, stderr, stdout }) => {
  const { WEAVE_CNI_PLUGIN_DIR: folder, HOST_ROOT: root = "" } = environment;
  const { missing, ...done } = await router.setUpCni({
    root,
    ...(folder && { folder }),
    hairpin: environment.HAIRPIN_MODE !== "false",
  });
  for (const path of missing) {
    stderr.write(`note: there is no ${path}, which the network needs for ports of the host\n`);
  }
  if (flags.enabled("json")) writeJson(stdout, "setup-cni", done);
  return 0;
};
