import { describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import {
  ask,
  disposeAll,
  established,
  establishedLinks,
  type Router,
  routerOn,
} from "./routers.ts";

const secret = "wEaVe-pa55";

const disagreements = [
  { how: "on our side alone", ours: secret, theirs: undefined },
  { how: "on the original's side alone", ours: undefined, theirs: secret },
  { how: "that differs", ours: secret, theirs: `${secret}!` },
];

const trusts = [
  { who: "both", ours: true, theirs: true },
  { who: "only ours", ours: true, theirs: false },
  { who: "only the original", ours: false, theirs: true },
];

/** A mixed pair: an original that is dialled, and ours. */
class Pair implements AsyncDisposable {
  readonly lab: Lab;
  readonly original: Router;
  readonly ours: Router;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.original = routerOn(lab.hosts[0]!, "original");
    this.ours = routerOn(lab.hosts[1]!, "ours");
  }

  static async make(): Promise<Pair> {
    return new Pair(await Lab.onSwitch("xp", 2));
  }

  /** Each dials the other. */
  start(
    router: Router,
    password: string | undefined,
    flags: readonly string[] = [],
  ): Promise<void> {
    const other = router === this.ours ? this.original : this.ours;
    const options = { peers: [other.host.ip], flags };
    return router.start(password === undefined ? options : { ...options, password });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([this.original, this.ours, this.lab]);
  }
}

async function failsNaming(router: Router, words: RegExp): Promise<void> {
  await eventually(
    `a failed target at ${router.kind}`,
    async () => (await ask(router, "GET", "/status/connections")).text,
    (text) => / (failed|retrying) /.test(text) && words.test(text),
  );
}

if (referenceBinary === undefined) {
  test("passwords of a mixed pair need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("a password", () => {
    for (const { how, ours, theirs } of disagreements) {
      test(`${how} keeps a mixed pair apart, is named, and heals once it is mended`, async () => {
        await using pair = await Pair.make();
        await pair.start(pair.original, theirs);
        await pair.start(pair.ours, ours);
        for (const router of [pair.ours, pair.original]) {
          await failsNaming(router, /password|Unable to decrypt/i);
        }
        await eventually(
          "the password in our log",
          () => pair.ours.log(),
          (log) => /connection shutting down due to error.* password/.test(log),
        );
        expect(await establishedLinks(pair.ours)).toEqual([]);
        expect(await establishedLinks(pair.original)).toEqual([]);
        await pair.original.stop("SIGTERM");
        await pair.start(pair.original, ours);
        await established(pair.ours, 1);
        await established(pair.original, 1);
      });
    }
  });

  describe("trusted subnets", () => {
    for (const { who, ours, theirs } of trusts) {
      test(`of ${who}: the overlay is ${ours && theirs ? "in clear" : "encrypted"}, with an original`, async () => {
        await using pair = await Pair.make();
        const flags = (trust: boolean) => (trust ? ["--trusted-subnets", "192.168.77.0/24"] : []);
        await pair.start(pair.original, secret, flags(theirs));
        await pair.start(pair.ours, secret, flags(ours));
        for (const router of [pair.ours, pair.original]) {
          await established(router, 1);
          const [link] = await establishedLinks(router);
          expect(link).toContain(ours && theirs ? " unencrypted " : " encrypted ");
          expect(link).toContain(ours && theirs ? "mtu=1438" : "mtu=1414");
        }
      });
    }
  });
}
