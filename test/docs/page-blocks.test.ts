import { describe, expect, test } from "bun:test";
import { shellBlocks, unmarkedCommands } from "./page-blocks.ts";

const page = `# Title

\`\`\`sh host1 host2
weave launch
\`\`\`

which prints

\`\`\`output
abc
\`\`\`

## Second

<!-- run: host3
ip netns add c1
-->

\`\`\`sh host1 docker
docker ps
\`\`\`

<!-- not run: needs a registry -->
\`\`\`sh
docker push x
\`\`\`

\`\`\`sh
forgotten
\`\`\`

\`\`\`yaml
- a
\`\`\`
`;

describe("the shell blocks of a page", () => {
  test("are told with the hosts they are typed on, and what they print", () => {
    expect(shellBlocks(page)[0]).toEqual({
      section: "Title",
      line: 4,
      hosts: ["host1", "host2"],
      needs: [],
      reason: undefined,
      isShown: true,
      script: "weave launch\n",
      output: "abc",
    });
  });

  test("may be hidden, need Docker, or be shown alone for a reason", () => {
    const [, hidden, docker, alone, forgotten, ...more] = shellBlocks(page);
    expect(hidden).toMatchObject({ section: "Second", hosts: ["host3"], isShown: false });
    expect(docker).toMatchObject({ hosts: ["host1"], needs: ["docker"] });
    expect(alone).toMatchObject({ hosts: [], reason: "needs a registry" });
    expect(forgotten).toMatchObject({ hosts: [], reason: undefined });
    expect(more).toEqual([]);
  });

  test("may be transcripts, which are typed line by line", () => {
    expect(shellBlocks("```console host1\n$ a\nb\n$ c\nd\n```\n")).toMatchObject([
      { hosts: ["host1"], script: "a; echo\nc; echo\n", output: "b\nd" },
    ]);
  });

  test("are all not run for the reason that a page gives once", () => {
    const [first, second] = shellBlocks(
      "<!-- not run on this page: why -->\n```sh\na\n```\n```sh host1\nb\n```\n",
    );
    expect([first!.reason, second!.reason]).toEqual(["why", undefined]);
  });

  test("that do not end, and outputs of nothing, are refused with their line", () => {
    expect(() => shellBlocks("a\n```sh\nb")).toThrow("line 2: ```sh has no end");
    expect(() => shellBlocks("```output\nb\n```")).toThrow("line 1: nothing that is run");
  });
});

test("commands in blocks that do not say so are found, outputs are not", () => {
  const text =
    "    weave launch\n\n    10.32.0.1\n\n```\n    weave x\n$ ls\n```\n```console\n$ ls\n```\n";
  expect(unmarkedCommands(text)).toEqual(["1: weave launch", "6: weave x", "7: $ ls"]);
  expect(unmarkedCommands("```\n./install.sh --dev\ndocker run ─▶ proxy\n```\n")).toEqual([
    "2: ./install.sh --dev",
  ]);
  expect(unmarkedCommands("```text\nweave launch [<peer>...]\n```\n")).toEqual([]);
});
