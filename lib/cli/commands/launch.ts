import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import { launchOptions } from "../../daemon/launch-validation.ts";
import { chooseEngine } from "../../docker/engine-choice.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { defaultProxyListeners, dockerCertificates } from "../docker-client.ts";
import { exitCode } from "../exit-code.ts";
import { orUsageError } from "../or-usage-error.ts";
import { withProgress } from "../progress.ts";
import { missedVariables } from "../table/former-variables.ts";

/**
 * A session key is one SHA-256 of the password away from what goes over the wire: whoever answers
 * a dial can try passwords at home. Below this length somebody's graphics card finds them all.
 */
const passwordMinLength = 16;

export const launch: CommandHandler = async (context) => {
  const { flags, router, stdout } = context;
  const options = await optionsOf(context);
  if (flags.enabled("foreground")) return router.foreground(options);
  const what = "waiting for the router to be ready";
  const id = await withProgress(context, what, () => router.launch(options));
  stdout.write(`${id}\n`);
  return exitCode.success;
};

/**
 * What the words and the environment of `weave launch` ask for.
 *
 * @throws UsageError, WeaveError `LAUNCH_CONFLICT`, `PASSWORD_…`
 */
export async function optionsOf(context: CommandContext): Promise<LaunchOptions> {
  const { arguments: peers, environment, flags, stderr } = context;
  // Weave Net 2.x listened for questions at this address of Docker's bridge.
  const dnsAddress = environment.DOCKER_BRIDGE_IP && `${environment.DOCKER_BRIDGE_IP}:53`;
  const password = await passwordFrom(context);
  if (password && password.length < passwordMinLength) {
    stderr.write(
      `note: the password has ${password.length} characters and can be guessed; give all hosts ` +
        `${passwordMinLength} random ones or more, e.g. from 'openssl rand -hex 16'\n`,
    );
  }
  for (const line of missedVariables(environment)) stderr.write(`note: ${line}\n`);
  const engine = chooseEngine(flags.text("docker-api"), environment);
  const validated = orUsageError(context, () =>
    launchOptions(
      {
        peers,
        enabled: (flag) => flags.enabled(flag),
        text: (flag) => {
          if (flag === "password") return password;
          if (flag === "docker-api") return engine.endpoint;
          return flags.text(flag) ?? (flag === "dns-listen-address" ? dnsAddress : undefined);
        },
        list(flag) {
          const given = flags.list(flag);
          if (flag !== "proxy-listen" || given.length > 0) return given;
          return defaultProxyListeners(environment);
        },
      },
      {
        hostname: hostname(),
        certificates: dockerCertificates(environment),
        variables: environment,
      },
    ),
  );
  return { ...validated, dockerAccess: engine.access };
}

/** From the file if one is named; else from the option or, when that is empty, the environment. */
async function passwordFrom(context: CommandContext): Promise<string | undefined> {
  const { flags, environment } = context;
  const file = flags.text("password-file");
  if (file === undefined) return flags.text("password") || environment.WEAVE_PASSWORD;
  const password = (await readPassword(context, file)).split(/\r?\n/, 1)[0];
  if (!password) {
    throw new WeaveError("PASSWORD_EMPTY", `the first line of ${file} holds no password`);
  }
  return password;
}

async function readPassword(context: CommandContext, file: string): Promise<string> {
  if (file === "-") return context.readStdin();
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new WeaveError("PASSWORD_UNREADABLE", `cannot read the password: ${errorText(cause)}`, {
      cause,
    });
  }
}
