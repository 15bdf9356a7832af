import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { ReferenceRouter, referenceBinary } from "./reference-router.ts";

/**
 * One router of the original and one of ours as a pair. Which binary is the original's, the
 * environment says: WEAVE_REFERENCE_ROUTER=/path/to/weaver. Without one there is nothing to run
 * beside, and this file says so instead of passing silently.
 */
const cases = [
  { who: "ours dials the original", oursDials: true, password: undefined },
  { who: "the original dials ours", oursDials: false, password: undefined },
  { who: "ours dials the original, with a password", oursDials: true, password: "wEaVe-pa55" },
  { who: "the original dials ours, with a password", oursDials: false, password: "wEaVe-pa55" },
];

if (referenceBinary === undefined) {
  test("interop needs a router of the original", () => {
    console.log(
      "no router of the original to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver " +
        "to test a mixed cluster",
    );
  });
} else {
  for (const { who, oursDials, password } of cases) {
    describe(`a mixed pair: ${who}`, () => {
      let lab: Lab;
      let reference: ReferenceRouter;
      const secret = password === undefined ? {} : { password };

      beforeAll(async () => {
        lab = await Lab.onSwitch("wi", 2);
        const [theirs, ours] = [lab.hosts[0]!, lab.hosts[1]!];
        reference = new ReferenceRouter(theirs);
        const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
        const consensus = ["--ipalloc-init", "consensus=2"];
        if (oursDials) {
          await reference.start({ ...secret, flags: consensus });
          await ours.launch([...consensus, theirs.ip], { env });
        } else {
          await ours.launch(consensus, { env });
          await reference.start({ ...secret, flags: consensus, peers: [ours.ip] });
        }
      });

      afterAll(async () => {
        await reference?.[Symbol.asyncDispose]();
        await lab?.[Symbol.asyncDispose]();
      });

      test("is established over sleeve on both ends", async () => {
        const here = await lab.hosts[1]!.established(1);
        const there = await reference.established(1);
        for (const [side, text] of Object.entries({ here, there })) {
          console.log(`status connections, ${side}:\n${text}`);
          expect(text).toContain("sleeve");
          expect(text).toContain(password === undefined ? "mtu=1438" : "mtu=1414");
          if (password !== undefined) expect(text).toContain(" encrypted ");
        }
        expect(here).toMatch(oursDials ? /^-> / : /^<- /);
      });

      test("gives out different addresses, and their containers reach each other", async () => {
        const ours = lab.hosts[1]!;
        const theirs = await reference.container("rc1");
        const mine = await ours.container("c1");
        const ip = await ours.mustWeave(["attach", mine.reference]);
        expect(ip).not.toBe(theirs.cidr.split("/")[0]!);
        console.log(`addresses: ours ${ip}, the original's ${theirs.cidr}`);
        await mine.pings(theirs.cidr.split("/")[0]!);
        await theirs.container.pings(ip);
        console.log((await mine.exec(["ping", "-c", "3", theirs.cidr.split("/")[0]!])).stdout);
      });

      test("finds names of either side on the other", async () => {
        const ours = lab.hosts[1]!;
        await ours.mustWeave(["dns-add", "10.32.9.1", "-h", "ours.weave.local"]);
        await reference.api("PUT", "/name/weave:extern/10.32.9.2", ["fqdn=theirs.weave.local"]);
        const there = await eventually(
          "our name at the original",
          () => reference.lookup("ours.weave.local"),
          (addresses) => addresses.length > 0,
        );
        expect(there).toEqual(["10.32.9.1"]);
        const here = await eventually(
          "the original's name here",
          async () => (await ours.weave(["dns-lookup", "theirs"])).stdout.trim(),
          (address) => address !== "",
        );
        expect(here).toBe("10.32.9.2");
      });

      test("shows one ring on both sides", async () => {
        const peers = (text: string): string[] =>
          text
            .trim()
            .split("\n")
            .map((line) => line.slice(0, 17))
            .sort();
        const here = await lab.hosts[1]!.mustWeave(["status", "ipam"]);
        console.log(`status ipam, here:\n${here}`);
        expect(peers(here)).toEqual(peers(await reference.api("GET", "/status/ipam")));
        expect(peers(here)).toHaveLength(2);
      });

      test("left no complaint in the original's log", () => {
        const complaints = reference
          .log()
          .split("\n")
          .filter((line) => /^(ERRO|FATA)|panic|shutting down due to error/.test(line));
        expect(complaints).toEqual([]);
      });
    });
  }
}
