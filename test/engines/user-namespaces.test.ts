import { afterAll, beforeAll, expect, test } from "bun:test";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import { images } from "./images.ts";
import { runAttached } from "./waiting-container.ts";

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("dusr", { engine: "20.10" });
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Starts the engine anew, with users of containers that are nobody on the host (`userns-remap`). */
async function remapUsers(host: EngineHost): Promise<void> {
  const script = `
    cd ${host.folder}
    chmod o+x .. . docker
    mkdir etc etc-work
    mount -t overlay -o lowerdir=/etc,upperdir=$PWD/etc,workdir=$PWD/etc-work overlay /etc
    echo dockremap:x:999:999::/:/bin/false >> /etc/passwd
    echo dockremap:x:999: >> /etc/group
    for name in subuid subgid; do echo dockremap:100000:65536 >> /etc/$name; done
    echo '{"userns-remap": "default"}' > daemon.json`;
  await host.stopEngine();
  const { code, stderr } = await host.exec(["sh", "-ec", script]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  await host.startEngine();
}

test("a container whose users are others on the host is attached, with a hosts file of its own", async () => {
  const { host } = lab;
  await remapUsers(host);
  await host.importImage(`${host.folder}/../image-root.tar`, "bb", images.bb!);
  await host.launch(["--ipalloc-range", "10.32.0.0/16", "--proxy=false"]);
  const look = "cat /proc/self/uid_map; ip addr show ethwe; ls -ln /etc/hosts; cat /etc/hosts";
  const { stdout, stderr } = await runAttached(host, ["--add-host=a:1.2.3.4"], ["sh", "-c", look]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^ +0 +100000 +65536$/m);
  expect(stdout).toContain("inet 10.32.");
  expect(stdout).toMatch(/^-rw-r--r-- +\d 0 +0 /m);
  expect(stdout).toMatch(/^1\.2\.3\.4 +a$/m);
});
