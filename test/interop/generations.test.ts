import { describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { olderReferenceBinary, ReferenceRouter, referenceBinary } from "./reference-router.ts";

/** Releases to run beside; what is not named by the environment is said to be missing. */
const releases = [
  { name: "the last release", variable: "WEAVE_REFERENCE_ROUTER", binary: referenceBinary },
  {
    name: "an older release",
    variable: "WEAVE_REFERENCE_ROUTER_OLD",
    binary: olderReferenceBinary,
  },
];

const password = "wEaVe-pa55";
const version2 = ["--min-protocol-version", "2"];

const pairs = [
  { how: "in clear, we dial", oursDials: true },
  { how: "in clear, it dials", oursDials: false },
  { how: "with a password, we dial", oursDials: true, password },
  { how: "with a password, it dials", oursDials: false, password },
  { how: "when we demand protocol version 2, we dial", oursDials: true, flags: version2 },
  { how: "when we demand protocol version 2, it dials", oursDials: false, flags: version2 },
];

for (const { name, variable, binary } of releases) {
  describe(`a pair with ${name} of the original`, () => {
    if (binary === undefined) {
      test("needs its router", () => {
        console.log(`no router to run beside: set ${variable}=/path/to/weaver`);
      });
      return;
    }
    for (const { how, oursDials, password, flags = [] } of pairs) {
      test(`is established on both ends ${how}`, async () => {
        await using lab = await Lab.onSwitch("xg", 2);
        const [theirs, ours] = [lab.hosts[0]!, lab.hosts[1]!];
        await using reference = new ReferenceRouter(theirs);
        const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
        const secret = password === undefined ? {} : { password };
        if (oursDials) {
          await reference.start({ ...secret, binary });
          await ours.launch([...flags, theirs.ip], { env });
        } else {
          await ours.launch(flags, { env });
          await reference.start({ ...secret, binary, peers: [ours.ip] });
        }
        const mtu = password === undefined ? "mtu=1438" : "mtu=1414";
        // A link is established before the search for its MTU has come to an end.
        const found = (text: string): boolean => text.includes(mtu);
        const here = await eventually(`${mtu} here`, () => ours.established(1), found, 5000);
        const there = await eventually(`${mtu} there`, () => reference.established(1), found, 5000);
        expect(here).toMatch(oursDials ? /^-> / : /^<- /);
        for (const text of [here, there]) {
          expect(text.includes(" encrypted ")).toBe(password !== undefined);
          expect(text).toContain(mtu);
        }
      });
    }
  });
}
