import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import {
  addressesInside,
  behindHelper,
  commandRuns,
  runAttached,
  startAttached,
} from "./waiting-container.ts";

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("datt", { engine: ["20.10", "28"] });
  await Promise.all(
    lab.hosts.map((host) => host.launch(["--ipalloc-range", "10.32.0.0/16", "--proxy=false"])),
  );
});
afterAll(() => lab?.[Symbol.asyncDispose]());

for (const [at, engine] of ["20.10", "28"].entries()) {
  describe(`a container of engine ${engine}`, () => {
    let host: EngineHost;
    beforeAll(() => {
      host = lab.hosts[at]!;
    });

    test("finds its interface up, with its address, at its first instruction", async () => {
      const show = ["ip", "-o", "addr", "show", "dev", "ethwe", "up"];
      const { stdout } = await runAttached(host, ["-e", "WEAVE_CIDR=10.2.1.1/24"], show);
      expect(stdout).toContain("inet 10.2.1.1/24 ");
    });

    test("finds all multicast groups routed to it, or waits for none of that", async () => {
      const routes = ["ip", "route"];
      const { stdout } = await runAttached(host, [], routes);
      expect(stdout).toMatch(/^224\.0\.0\.0\/4 dev ethwe/m);
      const words = [...behindHelper(host, "w-nomcast"), "bb", "ip", "addr", "show", "ethwe"];
      expect(await host.mustDocker(["run", "--rm", ...words])).toContain("inet 10.32.");
    });

    test("gets several addresses, without a network of the engine too", async () => {
      const cidrs = "WEAVE_CIDR=net:default 10.2.2.1/24 ip:10.2.3.1/24 net:10.32.8.0/24";
      const show = ["ip", "-4", "-o", "addr", "show", "ethwe"];
      const { stdout } = await runAttached(host, ["--net=none", "-e", cidrs], show);
      expect(stdout).toMatch(/inet 10\.32\.\d+\.\d+\/16 /);
      expect(stdout).toContain("inet 10.2.2.1/24 ");
      expect(stdout).toContain("inet 10.2.3.1/24 ");
      expect(stdout).toMatch(/inet 10\.32\.8\.\d+\/24 /);
    });

    test("has a hosts file that begins with its address, and keeps what was added", async () => {
      const added = ["db:10.0.0.7", "six:2001:db8::7", "outside:host-gateway"];
      const words = ["-h", "hosts.weave.local", ...added.map((each) => `--add-host=${each}`)];
      const { stdout } = await runAttached(host, words, [
        "sh",
        "-c",
        "hostname -i; ip -4 -o addr show ethwe; cat /etc/hosts",
      ]);
      const address = / inet ([\d.]+)\//.exec(stdout)![1]!;
      expect(stdout.split("\n")[0]!.trim()).toBe(address);
      expect(stdout).toMatch(/^10\.0\.0\.7 +db$/m);
      expect(stdout).toMatch(/^2001:db8::7 +six$/m);
      expect(stdout).toMatch(/^172\.17\.0\.1 +outside$/m);
      expect(stdout).toMatch(/^127\.0\.0\.1 +localhost$/m);
    });

    test("keeps that file when the engine changes its own", async () => {
      await startAttached(host, ["--name", "kept", "-h", "kept.weave.local"]);
      await commandRuns(host, "kept");
      const before = await host.mustDocker(["exec", "kept", "cat", "/etc/hosts"]);
      await host.mustDocker(["network", "create", "other"]);
      await host.mustDocker(["network", "connect", "other", "kept"]);
      expect(await host.mustDocker(["exec", "kept", "cat", "/etc/hosts"])).toBe(before);
      await host.mustDocker(["rm", "-f", "kept"]);
      await host.mustDocker(["network", "rm", "other"]);
    });

    test("is found by its name, until it ends", async () => {
      await startAttached(host, ["--name", "named", "-h", "named", "--domainname", "weave.local"]);
      await commandRuns(host, "named");
      const [cidr] = await addressesInside(host, "named");
      expect(await host.mustWeave(["dns-lookup", "named"])).toBe(cidr!.split("/")[0]!);
      await host.mustDocker(["rm", "-f", "named"]);
      await eventually(
        "the name is gone",
        async () => (await host.weave(["dns-lookup", "named"])).stdout,
        (found) => found === "",
      );
    });

    test("is left alone when it says so, and when it has another network", async () => {
      const alone = ["-e", "WEAVE_CIDR=none", "--name", "alone"];
      await host.mustDocker(["run", "-d", ...alone, ...behindHelper(host), "bb", "true"]);
      await eventually(
        "the router says why it waits",
        async () => (await host.weave(["status"])).stdout,
        (status) => /Waiting: alone for \d+ s: it has WEAVE_CIDR=none/.test(status),
      );
      const { stdout } = await host.weave(["doctor"]);
      expect(stdout).toContain("the command of alone has waited");
      await host.mustDocker(["rm", "-f", "alone"]);
    });

    for (const [what, words] of [
      ["whose root cannot be written to", ["--read-only"]],
      ["of another user", ["-u", "65534:65534"]],
      ["without any capability", ["--cap-drop", "ALL"]],
      ["that may get no more privileges", ["--security-opt", "no-new-privileges"]],
      ["with an init of the engine's", ["--init"]],
      [
        "with all of that",
        ["--read-only", "-u", "65534", "--cap-drop=ALL", "--security-opt=no-new-privileges"],
      ],
    ] as const) {
      test(`${what} is attached`, async () => {
        const { stdout, stderr } = await runAttached(host, words, ["ip", "addr", "show", "ethwe"]);
        expect({ stdout, stderr }).toEqual({
          stdout: expect.stringContaining("inet 10.32."),
          stderr: "",
        });
      });
    }

    test("has the helper's answers where its command cannot be run", async () => {
      const unknown = await runAttached(host, [], ["nothing-of-that-name"]);
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain(
        'exec: "nothing-of-that-name": executable file not found in $PATH',
      );
      const touched = await runAttached(host, [], ["sh", "-c", "echo x > /w/w"]);
      expect(touched.code).not.toBe(0);
      expect(touched.stderr).toContain("Read-only file system");
    });
  });
}
