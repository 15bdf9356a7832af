import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { commandTable, findCommand } from "../../lib/cli/command-table.ts";
import { type ParsedWords, parseWords } from "../../lib/cli/parse.ts";
import { UsageError } from "../../lib/cli/usage-error.ts";

function parse(line: string | string[], environment: Record<string, string> = {}): ParsedWords {
  const [name, ...words] = typeof line === "string" ? line.split(" ") : line;
  return parseWords(findCommand(name!)!, words, environment);
}

function refusal(line: string | string[]): { text: string; code: number } {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof UsageError) {
      return { text: `${error.message} | ${error.remedy}`, code: error.exitCode };
    }
    throw error;
  }
  throw new Error("was accepted");
}

describe("flags", () => {
  test("stand anywhere among the arguments", () => {
    for (const line of [
      "launch --port 7000 --no-dns host1 host2",
      "launch host1 --port=7000 host2 --no-dns",
      "launch host1 host2 --no-dns=true --port 7000",
    ]) {
      const { arguments: peers, flags } = parse(line);
      expect(peers).toEqual(["host1", "host2"]);
      expect(flags.text("port")).toBe("7000");
      expect(flags.enabled("no-dns")).toBe(true);
    }
  });

  test("given twice count the last time, repeatable ones every time", () => {
    expect(parse("launch --password x --password=y").flags.text("password")).toBe("y");
    expect(parse("attach --add-host a:1 c --add-host=b:2").flags.list("add-host")).toEqual([
      "a:1",
      "b:2",
    ]);
  });

  test("keep an empty value, blanks and equals signs", () => {
    const { flags } = parse(["launch", "--ipalloc-range", "", "--password=a b=c"]);
    expect(flags.text("ipalloc-range")).toBe("");
    expect(flags.text("password")).toBe("a b=c");
  });

  test("that are switches take the words of Go", () => {
    for (const word of ["1", "t", "T", "TRUE", "true", "True"]) {
      expect(parse(`launch --no-dns=${word}`).flags.enabled("no-dns")).toBe(true);
    }
    for (const word of ["0", "f", "F", "FALSE", "false", "False"]) {
      expect(parse(`launch --no-dns=${word}`).flags.enabled("no-dns")).toBe(false);
    }
    expect(refusal("launch --no-dns=maybe").text).toContain('invalid boolean value "maybe"');
  });

  test("have letters where the original has them", () => {
    expect(parse("expose -h a.weave.local").flags.text("fqdn")).toBe("a.weave.local");
    expect(parse("report -f {{.Version}}").flags.text("format")).toBe("{{.Version}}");
    expect(parse("logs -f").flags.enabled("follow")).toBe(true);
  });

  test("end at two dashes", () => {
    expect(parse("forget -- --no-dns").arguments).toEqual(["--no-dns"]);
  });
});

describe("an old spelling", () => {
  const cases: Array<[string, string, string]> = [
    ["launch -password x", "password", "x"],
    ["launch -nickname=n", "nickname", "n"],
    ["launch --iprange 10.2.0.0/16", "ipalloc-range", "10.2.0.0/16"],
    ["launch -iprange 10.2.0.0/16", "ipalloc-range", "10.2.0.0/16"],
    ["launch --ipsubnet 10.2.0.0/24", "ipalloc-default-subnet", "10.2.0.0/24"],
    ["launch -initpeercount 3", "ipalloc-init", "consensus=3"],
    ["launch --init-peer-count=3", "ipalloc-init", "consensus=3"],
    ["launch --connlimit 5", "conn-limit", "5"],
    ["launch --nodiscovery", "no-discovery", "true"],
    ["launch --httpaddr :80", "http-addr", ":80"],
  ];
  for (const [line, flag, value] of cases) {
    test(`${line} is understood, with a note`, () => {
      const { flags, notes } = parse(line);
      expect(flags.text(flag)).toBe(value);
      expect(notes).toEqual([expect.stringContaining(`write --${flag}`)]);
    });
  }

  test("is not suspected in today's letters", () => {
    expect(parse("dns-add 10.2.1.1 -h x").notes).toEqual([]);
  });
});

describe("a mistake", () => {
  test("in a flag's name is answered with the nearest name", () => {
    expect(refusal("launch --no-fastpd")).toEqual({
      text: "flag provided but not defined: --no-fastpd | did you mean '--no-fastdp'? See 'weave launch --help'",
      code: 125,
    });
    expect(refusal("stop --x").code).toBe(1);
  });

  test("that leaves a value out is not taken for one", () => {
    expect(refusal("launch --password --no-dns").text).toContain(
      "flag needs an argument: --password",
    );
    expect(refusal("launch --port").text).toContain("flag needs an argument: --port");
  });

  test("in a number or a word from a list names the flag", () => {
    expect(refusal("launch --port x").text).toContain('invalid value "x" for flag --port');
    expect(refusal("launch --log-level loud").text).toContain("debug, info, warning, error");
  });

  test("in the number of arguments says what is wanted", () => {
    expect(refusal("rmpeer").text).toContain("'weave rmpeer' needs <peer_id>...");
    const empty = "'weave rmpeer' does not take an empty word";
    expect(refusal("rmpeer ").text).toContain(empty);
    expect(refusal("stop now").text).toContain("'weave stop' does not take 'now'");
    expect(refusal("status connection").text).toBe(
      "Invalid 'weave status' sub-command: connection | did you mean 'connections'?",
    );
    expect(refusal("status peers dns").text).toContain("does not take 'dns'");
  });
});

describe("a flag this version has no use for", () => {
  test("is refused with the reason when it asks for something", () => {
    expect(refusal("launch --awsvpc").text).toContain("--awsvpc needs the AWS route tables");
    expect(refusal("launch --token=abc").text).toContain("Weave Cloud");
  });

  test("is taken when it switches the thing off", () => {
    expect(parse("launch --awsvpc=false --expect-npc=false host1").arguments).toEqual(["host1"]);
  });
});

describe("the environment", () => {
  test("fills in flags that were not given", () => {
    const environment = { WEAVE_PASSWORD: "s", WEAVE_MTU: "1400", WEAVE_NO_FASTDP: "yes" };
    const { flags } = parse("launch", environment);
    expect(flags.text("password")).toBe("s");
    expect(flags.text("mtu")).toBe("1400");
    expect(flags.enabled("no-fastdp")).toBe(true);
    expect(parse("launch --mtu 1300", environment).flags.text("mtu")).toBe("1300");
    expect(parse("launch", { WEAVE_STATUS_ADDR: "" }).flags.text("status-addr")).toBeUndefined();
  });
});

describe("help", () => {
  test("wins over every mistake", () => {
    expect(parse("launch --nonsense --help").help).toBe(true);
    expect(parse("attach -h").help).toBe(true);
    expect(parse("rmpeer --help").help).toBe(true);
  });
});

describe("any words at all", () => {
  test("are parsed or refused with a usage error", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "--",
        "-",
        "--port",
        "-h",
        "-f",
        "--json",
        "--no-dns=",
        "=",
        "--=x",
        "--help",
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...commandTable), fc.array(word), (command, words) => {
        try {
          parseWords(command, words, {});
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { seed: 1, numRuns: 5000 },
    );
  });
});
