import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { killed } from "./shell.ts";

describe("the targets of a router", () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wtg", 2);
    host = lab.hosts[0]!;
    await lab.hosts[1]!.launch();
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  const targets = async (): Promise<string[]> =>
    words(await host.mustWeave(["report", "-f", "{{range .Router.Targets}}{{.}} {{end}}"]));

  const crash = async (): Promise<void> => killed(await host.routerPid());

  test("show in status and report under the name and nickname given", async () => {
    const name = "8a:3e:3e:3e:3e:3e";
    const peer = lab.hosts[1]!.ip;
    await host.mustWeave(["launch", "--no-fastdp", "--name", name, "--nickname", "nick"]);
    expect(await host.mustWeave(["status"])).toContain(`Name: ${name}(nick)`);
    const format = "{{.Router.Name}}({{.Router.NickName}})";
    expect(await host.mustWeave(["report", "-f", format])).toBe(`${name}(nick)`);
    expect(await host.mustWeave(["status", "peers"])).toContain(`${name}(nick)`);
    await host.mustWeave(["connect", peer]);
    expect(await host.mustWeave(["status", "targets"])).toBe(peer);
    expect(words(await host.established(1)).slice(0, 2)).toEqual(["->", `${peer}:6783`]);
    await host.mustWeave(["reset"]);
  });

  test("are those of connect, forget and replace, and what --resume takes up", async () => {
    const [peer, a, b] = [lab.hosts[1]!.ip, "192.168.77.101", "192.168.77.102"];
    await host.launch();
    await host.mustWeave(["connect", peer, a]);
    expect((await targets()).sort()).toEqual([a, peer].sort());
    await host.mustWeave(["connect", "--replace", peer, b]);
    expect((await targets()).sort()).toEqual([b, peer].sort());
    await host.mustWeave(["forget", peer, b]);
    expect(await targets()).toEqual([]);

    await host.mustWeave(["connect", a, peer]);
    await crash();
    await host.launch(["--resume"]);
    expect((await targets()).sort()).toEqual([a, peer].sort());
    await host.established(1);
    await host.mustWeave(["stop"]);
    expect((await host.weave(["launch", "--no-fastdp", "--resume", b])).code).not.toBe(0);
    await host.launch([b]);
    expect(await targets()).toEqual([b]);
    await crash();
    await host.launch(["--resume"]);
    expect(await targets()).toEqual([b]);
    await host.mustWeave(["stop"]);
    await host.launch();
    expect(await targets()).toEqual([]);
  });

  test("are those of the run that was cut short, when it is launched again as it was", async () => {
    const [a, b] = ["192.168.77.101", "192.168.77.102"];
    await host.mustWeave(["reset", "--force"]);
    await host.launch([a]);
    await host.mustWeave(["connect", b]);
    await crash();
    await host.launch([a]);
    expect((await targets()).sort()).toEqual([a, b]);
    await crash();
    await host.launch([b]);
    expect(await targets()).toEqual([b]);
  });
});

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
