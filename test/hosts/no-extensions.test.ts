import { expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

test("a router without extensions seals as the original does, whatever its peer can", async () => {
  await using lab = await Lab.onSwitch("wnx", 2);
  const [one, two] = lab.hosts as [Host, Host];
  const env = { WEAVE_PASSWORD: "a password for the lab" };
  await one.launch([], { env });
  await two.launch(["--no-extensions", one.ip], { env });
  for (const host of lab.hosts) {
    const links = await eventually(
      "a link that is sealed",
      () => host.mustWeave(["status", "connections"]),
      (text) => text.includes("encrypted=true"),
    );
    expect(links).not.toContain("aes-256-gcm");
    const extensions = "{{range .Router.Connections}}{{len .Extensions}}{{end}}";
    expect(await host.mustWeave(["report", "-f", extensions])).toBe("0");
  }
  const [from, to] = [await one.container("c1"), await two.container("c2")];
  await one.mustWeave(["attach", from.reference]);
  await from.pings(await two.mustWeave(["attach", to.reference]));
});
