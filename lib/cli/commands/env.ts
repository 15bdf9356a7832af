import { WeaveError } from "../../base/errors.ts";
import type { CommandHandler } from "../context.ts";

/** What `eval $(weave env)` of earlier releases did to a shell can still be undone. */
export const env: CommandHandler = async ({ environment, flags, stdout }) => {
  if (!flags.enabled("restore")) {
    throw new WeaveError("PROXY_ABSENT", "this version has no Docker API proxy to lead docker to", {
      remedy: "attach containers with 'weave attach'",
    });
  }
  const before = environment.ORIG_DOCKER_HOST;
  if (before === undefined) {
    throw new WeaveError(
      "ENV_NOTHING",
      "Nothing to restore. This is most likely because there was no preceding invocation of 'eval $(weave env)' in this shell.",
    );
  }
  stdout.write(`DOCKER_HOST=${before}\n`);
  return 0;
};
