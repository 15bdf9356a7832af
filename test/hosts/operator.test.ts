import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { weaveOnPath } from "./weave-on-path.ts";

const script = join(import.meta.dir, "operator.sh");

test("a script that operators of Weave Net 2.8 could have written runs unchanged", async () => {
  await using lab = await Lab.onSwitch("op", 2);
  const [one, two] = lab.hosts as [Host, Host];
  const range = ["--ipalloc-range", "10.2.0.0/16", "--ipalloc-default-subnet", "10.2.1.0/24"];
  await two.launch([...range, "--ipalloc-init", "consensus=2"]);
  const [c1, c2] = [await one.container("c1"), await one.container("c2")];
  const env = {
    ...one.env,
    ...weaveOnPath(lab.folder),
    PEER: two.ip,
    C1: c1.reference,
    C2: c2.reference,
    WEAVE_NO_FASTDP: "1",
  };
  const { code, stdout, stderr } = await one.exec(["sh", script], { env, waitMs: 240_000 });
  expect({ code, stderr, last: stdout.trim().split("\n").at(-1) }).toEqual({
    code: 0,
    stderr: "",
    last: "== done",
  });
}, 300_000);
