import { expect, test } from "bun:test";
import { unknownCommands } from "./named-commands.ts";

test("commands and options that there are not are found, in texts and in blocks", () => {
  const page =
    "`weave lunch` and `weave launch --help --pasword x`, then\n\n```sh host1\nip a; weave ps --all # --none\n```\n";
  expect(unknownCommands(page)).toEqual([
    "no command lunch: weave lunch",
    "no option --pasword: weave launch --help --pasword x",
    "no option --all: ip a; weave ps --all # --none",
  ]);
});

test("those that there are are not, nor what only looks like one", () => {
  const page =
    "`weave launch --password-file <file>`, `eval $(weave env --restore)`, `nft list table ip weave`\n\n```\nweave host1  00:00:00:00:00:01\n```\n";
  expect(unknownCommands(page)).toEqual([]);
});
