import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import * as v from "valibot";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatPeerName, parsePeerName } from "../base/peer-name.ts";
import type { InheritedSockets } from "../host/dataplane/plane-sockets.ts";
import { type LaunchOptions, launchOptionsSchema } from "./launch-options.ts";
import { fromPlainJson, toPlainJson } from "./plain-json.ts";
import { readableText, readyDescriptor, routerCommand } from "./process.ts";
import type { Estate, StartedRouter } from "./router.ts";
import { restOfAnswer } from "./router-answer.ts";

/**
 * One router takes the place of another, which goes on until the last moment:
 *
 *   former                                             successor
 *     │──starts; options, sockets by inheritance──────────▶│ loads itself, a worker waits at the sockets
 *     │◀──────────────────────────────────────── "warm" ───│
 *     │ suspends the mesh, frees ports and state,          │
 *     │ ends its worker                                    │
 *     │──the estate: links, routes───────────────────────▶│ its worker serves the sockets
 *     │ holds its connections to peers                     │ starts as every router does, dials the peers,
 *     │◀───────────────────────────────── "ready <id>" ────│ who give up the former connections
 *     │ exits
 *
 * What fails before the estate is handed over ends the successor and changes nothing; what fails
 * later makes the former one start again, in its own process.
 *
 * | descriptor of the successor |                                                   |
 * | --------------------------- | ------------------------------------------------- |
 * | 0                           | {@link Summons}                                   |
 * | 1, 2                        | those of the former                               |
 * | 3                           | its answers, a line each                          |
 * | 4                           | {@link Estate}, when the time has come            |
 * | 5, 6                        | the sockets: UDP, capture                         |
 * | 7                           | the keeper's pipe                                 |
 * | 8                           | UDP of another family, where the summons says so  |
 */
export const successorWord = "successor";

/** Which descriptors and messages these are; a successor of another format is not taken. */
const successionFormat = 1;

const estateDescriptor = 4;
const udpDescriptor = 5;
const packetDescriptor = 6;
/** Where a successor tells the keeper how it goes. */
export const successorKeeperDescriptor = 7;
const secondUdpDescriptor = 8;

/** A successor that is not warm, or not ready, after this time never will be. */
const warmMaxMs = 30_000;
const readyMaxMs = 30_000;
/** How long peers may take to give up their connections to the former process. */
export const desertedMaxMs = 10_000;

const summonsSchema = v.strictObject({
  format: v.literal(successionFormat),
  options: launchOptionsSchema,
  name: v.pipe(v.string(), v.transform(parsePeerName)),
  captureInterface: v.number(),
  datapathMtu: v.optional(v.number()),
  /** Whether there are UDP sockets of two families; absent: of one. */
  twoFamilies: v.optional(v.literal(true)),
  /** Absent: the former one writes its log to standard error. */
  logFile: v.optional(v.string()),
});
/** What a successor is told at its start. */
export type Summons = v.InferOutput<typeof summonsSchema>;

/** @throws WeaveError `SUCCESSION_FORMAT` */
export function decodeSummons(text: string): Summons {
  try {
    return v.parse(summonsSchema, JSON.parse(text));
  } catch (cause) {
    throw new WeaveError(
      "SUCCESSION_FORMAT",
      "this version cannot take over from the one that runs",
      {
        remedy: "stop the router and launch this version",
        cause,
      },
    );
  }
}

/** What a successor gets from the former process. */
export function inheritedSockets({ twoFamilies }: Summons): InheritedSockets {
  const udpDescriptors = twoFamilies ? [udpDescriptor, secondUdpDescriptor] : [udpDescriptor];
  return { udpDescriptors, packetDescriptor };
}

const estateSchema = v.custom<Estate>(
  (value) => typeof value === "object" && value !== null && "bequest" in value,
);

/** Waits for what the former process leaves; `undefined` when it keeps everything. */
export async function receiveEstate(): Promise<Estate | undefined> {
  const text = await Bun.file(estateDescriptor).text();
  closeSync(estateDescriptor);
  return text === "" ? undefined : v.parse(estateSchema, fromPlainJson(text));
}

export interface SuccessionParts {
  /** The program as it is at its place now. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly options: LaunchOptions;
  readonly logFile: string | undefined;
  /** Descriptor of the keeper's pipe; missing without a keeper. */
  readonly keeper: number | undefined;
  readonly router: Pick<StartedRouter, "name" | "standing">;
}

/** A successor, as the former process sees it. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#answers = lines(child.stdio[readyDescriptor] as Readable);
  }

  /** Starts one and waits until it is warm. @throws WeaveError `SUCCESSOR_DIED`, or what it says */
  static async start(parts: SuccessionParts): Promise<Successor> {
    const child = start(parts);
    const failed = new Promise<unknown>((resolve) => child.once("error", resolve));
    // Without one there is nothing to wait for but the reason.
    if (child.pid === undefined) throw died(`cannot be started: ${errorText(await failed)}`);
    const successor = new Successor(child);
    try {
      await successor.#expect("warm", warmMaxMs);
    } catch (error) {
      await successor.end();
      throw error;
    }
    return successor;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Leaves everything to it, and waits until it is ready. @throws WeaveError as {@link start} */
  async inherit(estate: Estate): Promise<void> {
    const pipe = this.#child.stdio[estateDescriptor] as Writable;
    pipe.on("error", () => {});
    pipe.end(toPlainJson(estate));
    await this.#expect("ready", readyMaxMs);
    this.#child.unref();
  }

  /** Resolves when it holds nothing any more. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await gone;
  }

  async #expect(word: "ready" | "warm", waitMs: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(died("does not answer")), waitMs);
    try {
      const { value } = await Promise.race([this.#answers.next(), late.promise]);
      const answer = typeof value === "string" ? value : "";
      if (restOfAnswer(answer, word) === undefined) throw died("has died");
    } finally {
      clearTimeout(timer);
    }
  }
}

function start(parts: SuccessionParts): ChildProcess {
  const { command, environment, options, logFile, keeper, router } = parts;
  const { captureInterface, datapathMtu, sockets } = router.standing;
  const [udp, secondUdp] = sockets.udpDescriptors;
  const summons: v.InferInput<typeof summonsSchema> = {
    format: successionFormat,
    ...{ options, name: formatPeerName(router.name), captureInterface, datapathMtu, logFile },
    ...(secondUdp !== undefined && { twoFamilies: true }),
  };
  const [file, ...args] = command;
  const input = readableText(JSON.stringify(summons));
  const nobody = openSync("/dev/null", "w");
  try {
    return spawn(file!, [...args, routerCommand, successorWord], {
      stdio: [
        ...[input, "inherit" as const, "inherit" as const, "pipe" as const, "pipe" as const],
        ...[udp ?? nobody, sockets.packetDescriptor, keeper ?? nobody],
        ...(secondUdp === undefined ? [] : [secondUdp]),
      ],
      cwd: "/",
      env: environment,
    });
  } finally {
    for (const descriptor of [input, nobody]) closeSync(descriptor);
  }
}

async function* lines(stream: Readable): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    const whole = text.split("\n");
    text = whole.pop() ?? "";
    yield* whole;
  }
}

function died(how: string): WeaveError {
  return new WeaveError("SUCCESSOR_DIED", `the router that was to take over ${how}`, {
    remedy: "the log says why ('weave logs', or 'journalctl -u weave'); this router goes on",
  });
}
