import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Paths } from "./paths.ts";
import { runningRouter } from "./pid-file.ts";
import { selfCommand } from "./process.ts";
import { engineVariablesPath, systemdUnit, unitMark, unitPath, wordsPath } from "./systemd-unit.ts";

/** What `weave setup-systemd` was asked for. */
export interface ServiceRequest {
  /** For `weave launch`; with none, those of an earlier setup stay. */
  readonly words: readonly string[];
  /** By which the Docker engine is found; with none, those of an earlier setup stay. */
  readonly engineVariables: Readonly<Record<string, string>>;
  /** The system whose files are written: `/`, or an image below a folder. */
  readonly root: string;
  /** Start the service and have it started at every boot. */
  readonly now: boolean;
}

/**
 * Makes the router a service of systemd.
 *
 * @returns what was done, a sentence each
 * @throws WeaveError `SERVICE_WORD`, `SERVICE_FOREIGN`, `SERVICE_WRITE`, `SERVICE_SYSTEMD`,
 *   `ALREADY_RUNNING`
 */
export function setUpService(request: ServiceRequest, paths: Paths): string[] {
  const { words, engineVariables, root, now } = request;
  const unit = join(root, unitPath);
  const settings = join(root, wordsPath);
  const engineSettings = join(root, engineVariablesPath);
  const program = selfCommand();
  for (const word of program) checkWord(word, /^[\w.:,/=@+-]+$/);
  // An address may name its interface: fe80::1%eth0.
  for (const word of [...words, ...Object.values(engineVariables)]) {
    checkWord(word, /^[\w.:,/=@+%-]+$/);
  }
  const isLive = root === "/" && existsSync("/run/systemd/system");
  if (now) checkStart(isLive, paths);
  if (existsSync(unit) && !readFileSync(unit, "utf8").startsWith(unitMark)) {
    throw new WeaveError("SERVICE_FOREIGN", `${unit} was not written by 'weave setup-systemd'`, {
      remedy: "move it away; changes of your own belong into 'systemctl edit weave'",
    });
  }
  write(unit, systemdUnit(program));
  const done = [`${unit} is written`];
  if (words.length > 0 || !existsSync(settings)) {
    write(settings, wordsFile(words));
    done.push(`${settings} is written: ${words.join(" ") || "no options and no peers"}`);
  } else done.push(`${settings} stays as it is`);
  const variables = Object.keys(engineVariables);
  if (variables.length > 0) {
    write(engineSettings, variablesFile(engineVariables));
    done.push(`${engineSettings} is written: ${variables.join(", ")}`);
  } else if (existsSync(engineSettings)) done.push(`${engineSettings} stays as it is`);
  if (isLive) systemctl("daemon-reload");
  if (now) {
    systemctl("enable", "--now", "weave.service");
    done.push("the service runs, and does so after every boot");
  } else done.push("start it now and at every boot with: systemctl enable --now weave");
  return done;
}

function wordsFile(words: readonly string[]): string {
  return `# What the service starts the router with: options and peers of 'weave launch'.
# A password goes into a file that only root reads: --password-file=/etc/weave/password
WEAVE_ARGS="${words.join(" ")}"
`;
}

function variablesFile(variables: ServiceRequest["engineVariables"]): string {
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  return `# How the router finds and asks the Docker engine: as its client would with these.\n${lines.join("")}`;
}

/** systemd divides at blanks and knows quotes, `$` and `\`: words with these have no safe form. */
function checkWord(word: string, safe: RegExp): void {
  if (safe.test(word)) return;
  throw new WeaveError("SERVICE_WORD", `"${word}" cannot stand in a unit of systemd`, {
    remedy: "leave out blanks, quotes and other signs that a shell or systemd interprets",
  });
}

function checkStart(isLive: boolean, paths: Paths): void {
  if (!isLive) {
    throw new WeaveError("SERVICE_SYSTEMD", "there is no systemd running that could start it", {
      remedy: "leave out --now",
    });
  }
  const isActive = Bun.spawnSync(["systemctl", "is-active", "--quiet", "weave.service"]).success;
  if (!isActive && (runningRouter(paths.pidFile) ?? runningRouter(paths.keeperFile))) {
    throw new WeaveError("ALREADY_RUNNING", "weave is running already, outside of systemd", {
      remedy: "'weave stop' first; containers keep their addresses and their traffic",
    });
  }
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    throw new WeaveError("SERVICE_WRITE", `cannot write ${path}: ${errorText(cause)}`, {
      remedy: "run this as root",
      cause,
    });
  }
}

function systemctl(...words: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync(["systemctl", ...words], { stderr: "pipe" });
  if (success) return;
  const command = `systemctl ${words.join(" ")}`;
  throw new WeaveError("SERVICE_SYSTEMD", `${command}: ${stderr.toString().trim()}`, {
    remedy: "see 'journalctl -u weave'",
  });
}
