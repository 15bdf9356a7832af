import { existsSync } from "node:fs";
import { join } from "node:path";
import { Crowd } from "../test/hosts/crowd.ts";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { inTurn, shown } from "./measure.ts";

/**
 * How long `weave attach`, `weave detach` and `weave status` take on a host with 200 containers, in
 * turn with what a script needs for an interface with an address, a veth put into a namespace:
 *
 *   bun run build && bun run bench attach
 *
 * Then all of the containers at once, by the control API.
 */
const containers = 200;
const rounds = 21;

export async function benchAttach(): Promise<void> {
  const executable = process.env.WEAVE_BINARY ?? join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY = executable;
  await using lab = await Lab.onSwitch("wat", 1);
  const [host] = lab.hosts as [Host];
  host.fastdp = true;
  await host.launch(["--ipalloc-init", `seed=${host.peerName}`]);
  const crowd = await Crowd.of(host, containers);
  const milliseconds = async (action: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await action();
    return performance.now() - start;
  };
  const attachAll = await milliseconds(() => crowd.all("attach"));
  const { reference, namespace } = await host.container("one");
  const plain = [
    `ip link add plain0 type veth peer name plain1 netns ${namespace}`,
    "ip link set plain0 master weave up",
    `ip -n ${namespace} address add 10.99.0.1/24 dev plain1`,
    `ip -n ${namespace} link set plain1 up`,
  ].join(" && ");
  const results = await inTurn(
    {
      "a veth with an address, by ip": () => milliseconds(() => host.exec(["sh", "-c", plain])),
      "weave attach": async () => {
        await host.exec(["ip", "link", "delete", "plain0"]);
        return milliseconds(() => host.mustWeave(["attach", reference]));
      },
      "weave status": () => milliseconds(() => host.mustWeave(["status"])),
      "weave ps": () => milliseconds(() => host.mustWeave(["ps"])),
      "weave detach": () => milliseconds(() => host.mustWeave(["detach", reference])),
    },
    rounds,
  );
  for (const [name, values] of Object.entries(results)) console.log(`${name}: ${shown(values)} ms`);
  console.log(`${containers} containers attached at once: ${(attachAll / 1000).toFixed(2)} s`);
  const detachAll = await milliseconds(() => crowd.all("detach"));
  console.log(`${containers} containers detached at once: ${(detachAll / 1000).toFixed(2)} s`);
}
