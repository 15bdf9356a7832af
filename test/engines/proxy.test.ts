import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { certificate } from "../docker/certificates.ts";
import { eventually } from "../hosts/shell.ts";
import { dockerShell, proxyOf } from "./docker-shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

const showAddress = ["ip", "-4", "-o", "addr", "show", "dev", "ethwe", "up"];

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("dprx", { engine: ["20.10", "28"] });
  await Promise.all(
    lab.hosts.map((host) =>
      host.launch([
        ...["--ipalloc-range", "10.32.0.0/16", "--rewrite-inspect"],
        ...["-H", "tcp://127.0.0.1:12375", "-H", "/run/elsewhere/weave.sock"],
        ...["--hostname-match", "^aws-[0-9]+-(?P<app>.*)$", "--hostname-replacement", "my-$app"],
      ]),
    ),
  );
});
afterAll(() => lab?.[Symbol.asyncDispose]());

for (const [at, engine] of ["20.10", "28"].entries()) {
  describe(`through the proxy before engine ${engine}`, () => {
    let host: EngineHost;
    let env: { DOCKER_HOST: string };
    beforeAll(() => {
      host = lab.hosts[at]!;
      env = { DOCKER_HOST: proxyOf(host) };
    });

    /** What a container prints that is made through the proxy. */
    const docker = (...args: string[]) => host.mustDocker(args, { env });

    test("a container has its address at its first instruction", async () => {
      const words = ["-e", "WEAVE_CIDR=10.2.1.1/24", "bb", ...showAddress];
      expect(await docker("run", "--rm", ...words)).toContain("inet 10.2.1.1/24 ");
      expect(await docker("run", "--rm", "bb", ...showAddress)).toMatch(
        /inet 10\.32\.\d+\.\d+\/16 /,
      );
    });

    test("any address of the proxy does, and 'weave env' and 'weave config' name one", async () => {
      const unix = `unix://${host.env.WEAVE_RUN_DIR}/weave.sock`;
      expect(await host.mustWeave(["env"])).toBe(
        "export DOCKER_HOST=tcp://127.0.0.1:12375 ORIG_DOCKER_HOST=",
      );
      expect(await host.mustWeave(["config"])).toBe("-H=tcp://127.0.0.1:12375");
      const { Addresses } = JSON.parse(await host.mustWeave(["report"])).Proxy;
      expect(Addresses).toEqual([
        ...["tcp://127.0.0.1:12375", "unix:///run/elsewhere/weave.sock", unix],
      ]);
      for (const DOCKER_HOST of Addresses) {
        const run = ["run", "--rm", "bb", ...showAddress];
        expect(await host.mustDocker(run, { env: { DOCKER_HOST } })).toContain("inet 10.32.");
      }
    });

    test("the socket may be used by who may use the engine's", async () => {
      const owner = (path: string) => {
        const { mode, uid, gid } = statSync(host.outside(path));
        return { mode, uid, gid };
      };
      const own = owner(`${host.env.WEAVE_RUN_DIR}/weave.sock`);
      expect(own).toEqual(owner("/run/docker.sock"));
    });

    test("containers are left alone that say so, or are on another network", async () => {
      const hasNone = ["sh", "-c", "! ip link show ethwe 2>/dev/null && echo none"];
      for (const words of [["-e", "WEAVE_CIDR=none"], ["--net=host"]]) {
        expect(await docker("run", "--rm", ...words, "bb", ...hasNone)).toBe("none");
      }
      for (const words of [["--net=none"], ["--net=bridge"], ["-e", "WEAVE_CIDR="]]) {
        expect(await docker("run", "--rm", ...words, "bb", ...showAddress)).toContain(
          "inet 10.32.",
        );
      }
    });

    test("entrypoints of every kind run behind the helper", async () => {
      const run = (...words: string[]) => docker("run", "--rm", ...words);
      expect(await run("bb-entry")).toBe("entry of words");
      expect(await run("bb-entry", "other")).toBe("entry other");
      expect(await run("--entrypoint", "/bin/echo", "bb-entry", "x")).toBe("x");
      expect(await run("--entrypoint", "", "bb-entry", "echo", "y")).toBe("y");
      expect(await run("--entrypoint", "", "bb", ...showAddress)).toContain("inet 10.32.");
    });

    test("what cannot run is refused as without the proxy", async () => {
      const refused = async (...words: string[]) => {
        const { code, stderr } = await host.docker(["run", "--rm", ...words], { env });
        return `${code} ${stderr}`;
      };
      expect(await refused("bb", "no-such-command")).toContain("executable file not found");
      expect(await refused("no-such/image:1", "x")).toContain("Unable to find image");
      expect(await refused("--entrypoint", "", "bb")).toMatch(/no command specified/i);
    });

    test("a minimal request without version, by curl, makes a container that is attached", async () => {
      const socket = host.outside(`${host.env.WEAVE_RUN_DIR}/weave.sock`);
      const ask = (path: string, body?: object) =>
        fetch(`http://x${path}`, {
          unix: socket,
          method: "POST",
          ...(body && { body: JSON.stringify(body) }),
          headers: { "Content-Type": "application/json" },
        });
      for (const Cmd of [showAddress, showAddress.join(" ")]) {
        const command = Array.isArray(Cmd) ? { Cmd } : { Entrypoint: "sh", Cmd: ["-c", Cmd] };
        const made = await ask("/containers/create", { Image: "bb", ...command });
        expect(made.status).toBe(201);
        const { Id } = (await made.json()) as { Id: string };
        expect((await ask(`/containers/${Id}/start`)).status).toBe(204);
        await host.mustDocker(["wait", Id]);
        expect(await host.mustDocker(["logs", Id])).toContain("inet 10.32.");
      }
    });

    test("a committed container has the helper once, and cannot write to it", async () => {
      const deed = `
        docker run --name first bb sh -c 'echo x > /w/w'; echo $?
        docker commit first again >/dev/null; docker rm first >/dev/null
        docker run --name second again ip -4 -o addr show dev ethwe up | grep -c 10.32
        docker inspect -f '{{.Config.Entrypoint}} {{len .Mounts}}' second; docker rm second >/dev/null`;
      const { stdout, stderr } = await dockerShell(host, deed, env.DOCKER_HOST);
      expect(stdout).toBe("1\n1\n[/w/w] 1\n");
      expect(stderr).toMatch(/read-only file system/i);
    });

    test("names are found by others, unless the container has one of its own", async () => {
      await docker("run", "-d", "--name", "name1", "bb", "sleep", "1000");
      const hostname = async (...words: string[]) =>
        docker("run", "--rm", ...words, "bb", "hostname", "-f");
      expect(await docker("exec", "name1", "hostname", "-f")).toBe("name1.weave.local");
      expect(await hostname("--name", "aws-12-web")).toBe("my-web.weave.local");
      expect(await hostname("--name", "name3", "-h", "mine")).toBe("mine");
      const address = await docker("exec", "name1", "hostname", "-i");
      expect(address).toMatch(/^10\.32\./);
      expect(await host.mustWeave(["dns-lookup", "name1"])).toBe(address);
      for (const words of [["--name", "name2"], [], ["--dns-search", "weave.local"]]) {
        for (const name of ["name1", "name1.weave.local"]) {
          expect(await docker("run", "--rm", ...words, "bb", "nslookup", name)).toContain(address);
        }
      }
      const unknown = [
        "run",
        "--rm",
        "--dns-search",
        "example.com",
        "bb",
        "cat",
        "/etc/resolv.conf",
      ];
      expect(await docker(...unknown)).toContain("search example.com");
      await docker("rm", "-f", "name1");
    });

    test("a container may have its host's name, and is entered after it was detached", async () => {
      await docker("run", "-d", "--name", "away", "--uts=host", "bb", "sleep", "1000");
      expect(await docker("exec", "away", ...showAddress)).toContain("inet 10.32.");
      await host.mustWeave(["detach", "away"]);
      expect(await docker("exec", "away", "echo", "entered")).toBe("entered");
      await docker("rm", "-f", "away");
    });

    test("a name that is too long is told of, and the container runs", async () => {
      const name = `n${"x".repeat(60)}`;
      const { code, stderr } = await host.docker(["run", "--rm", "--name", name, "bb", "true"], {
        env,
      });
      expect(code).toBe(0);
      expect(stderr).toContain("WARNING: weave: ");
    });

    test("'docker inspect' shows the address that 'weave ps' does", async () => {
      await docker("run", "-d", "--name", "shown", "bb", "sleep", "1000");
      const format =
        "{{.NetworkSettings.MacAddress}} {{.NetworkSettings.IPAddress}}/{{.NetworkSettings.IPPrefixLen}}";
      const shown = await docker("inspect", "-f", format, "shown");
      expect((await host.mustWeave(["ps", "shown"])).replace(/^\S+ /, "")).toBe(shown);
      await docker("rm", "-f", "shown");
    });

    test("a session goes on while another router takes over, and the former ends with it", async () => {
      await docker("run", "-d", "--name", "long", "bb", "sleep", "1000");
      const runFile = host.outside(`${host.env.WEAVE_RUN_DIR}/weave.pid`);
      const former = readFileSync(runFile, "utf8").split(" ")[0]!;
      const session = dockerShell(
        host,
        `{ until [ -e $outside/go ]; do sleep 0.1; done; echo late; } |
          docker exec -i long sh -c 'echo early; touch /tmp/begun; cat'; echo $?`,
        env.DOCKER_HOST,
      );
      await eventually(
        "the session",
        () => host.docker(["exec", "long", "test", "-e", "/tmp/begun"]),
        ({ code }) => code === 0,
      );
      await host.mustWeave(["upgrade-self"], { waitMs: 60_000 });
      expect(readFileSync(runFile, "utf8").split(" ")[0]).not.toBe(former);
      expect(await docker("exec", "long", ...showAddress)).toContain("inet 10.32.");
      writeFileSync(host.outside(`${host.folder}/go`), "");
      expect(await session).toEqual({ code: 0, stdout: "early\nlate\n0\n", stderr: "" });
      await eventually(
        "the end of the former router",
        () => host.exec(["test", "-d", `/proc/${former}`]),
        ({ code }) => code !== 0,
      );
      await docker("rm", "-f", "long");
    });

    test("the proxy is there again after a crash and a start of the router", async () => {
      await docker("run", "-d", "--name", "kept", "bb", "sleep", "1000");
      await host.killRouter();
      expect((await host.docker(["ps"], { env })).code).not.toBe(0);
      await host.launch(["--ipalloc-range", "10.32.0.0/16"]);
      const run = ["exec", "kept", ...showAddress];
      expect(await docker(...run)).toContain("inet 10.32.");
      expect(await docker("run", "--rm", "bb", ...showAddress)).toContain("inet 10.32.");
      await docker("rm", "-f", "kept");
      await host.mustWeave(["stop"]);
      expect(await host.mustWeave(["env"])).toBe("");
    });

    test("with certificates only clients get in that have one, on TCP", async () => {
      const folder = `${host.folder}/certificates`;
      cpSync(dirname(certificate("authority")), host.outside(folder), { recursive: true });
      const file = (flag: string, name: string) => `--tls${flag}=${folder}/${name}.pem`;
      const authority = file("cacert", "authority");
      const own = [file("cert", "engine"), file("key", "engine-key")];
      await host.launch(["-H", ":12375", "--tlsverify", authority, ...own]);
      const ps = ["-H", "tcp://127.0.0.1:12375", "--tlsverify", authority];
      const shown = [file("cert", "client"), file("key", "client-key")];
      const run = ["run", "--rm", "-i", "bb", "sh", "-c", "cat; ip -4 -o addr show dev ethwe up"];
      const { stdout, stderr } = await host.docker([...ps, ...shown, ...run], { stdin: "in\n" });
      expect(`${stdout}${stderr}`).toMatch(/^in\n.*inet 10\.32\./);
      expect((await host.docker([...ps, "ps"])).code).not.toBe(0);
      await host.mustWeave(["stop"]);
    });
  });
}
