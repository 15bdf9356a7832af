import { describe, expect, test } from "bun:test";
import { any, int, map, slice, string, struct } from "../../lib/api/template/go-type.ts";
import { type Rendered, renderTemplate } from "../../lib/api/template/render.ts";
import { reportType } from "../../lib/api/template/report-type.ts";
import { cases, reports } from "./template-cases.ts";

function render(format: string, report: keyof typeof reports = "full"): Rendered {
  return renderTemplate(format, reports[report], reportType);
}

describe("a template over a report", () => {
  test("gives what Go's text/template gives", () => {
    expect(cases.length).toBeGreaterThan(800);
    const departures = cases
      .map(({ format, report, ...expected }) => ({ format, expected, got: render(format, report) }))
      .filter(({ expected, got }) => !Bun.deepEquals(expected, got));
    expect(departures).toEqual([]);
  });

  test.each([
    ["{{.Version}}", "2.8.1"],
    ["{{.Router.Name}}", "8a:3e:3e:3e:3e:3e"],
    ["{{.Router.Name}}({{.Router.NickName}})", "8a:3e:3e:3e:3e:3e(nick)"],
    ["{{len .Router.Peers}}", "2"],
    ["{{len .DNS.Entries}}", "2"],
    ["{{.DNS.Domain}}", "weave.local."],
    ["{{.IPAM.DefaultSubnet}}", "10.32.0.0/12"],
    ["{{.VersionCheck.Enabled}}", "false"],
    ["{{.VersionCheck}}", "version check update disabled"],
    ['{{range .Router.Targets}}{{.}}{{"\\n"}}{{end}}', "10.0.0.2\nhost-3.example\n"],
  ])("of the documentation works: %s", (format, output) => {
    expect(render(format)).toEqual({ output });
  });

  test("prints a service as compact JSON", () => {
    const { output } = render("{{json .DNS}}");
    expect(JSON.parse(output)).toEqual(reports.full.DNS);
    expect(output).not.toContain("\n");
  });

  test("keeps every digit of 64-bit numbers", () => {
    const format = "{{range .Router.Peers}}{{.UID}} {{json .Version}} {{end}}";
    expect(render(format).output).toBe("17293822569102704642 7 42 18446744073709551615 ");
  });

  test("counts lists that a report writes as null", () => {
    expect(render("{{len .Router.Peers}}{{.Router.Targets}}", "bare")).toEqual({ output: "0[]" });
  });

  test("can ask whether a service is on, and fails to look into one that is off", () => {
    expect(render("{{if .DNS}}on{{else}}off{{end}}", "bare")).toEqual({ output: "off" });
    expect(render("{{.DNS}}", "bare")).toEqual({ output: "<nil>" });
    expect(render("{{.DNS.Domain}}", "bare")).toEqual({
      output: "",
      error:
        'template: format:1:6: executing "format" at <.DNS.Domain>: nil pointer evaluating *DnsReport.Domain',
    });
  });

  test("fails at a field that is not there, with what was written before", () => {
    expect(render("Name {{.Router.Name}}\nFoo {{.Foo}}")).toEqual({
      output: "Name 8a:3e:3e:3e:3e:3e\nFoo ",
      error:
        'template: format:2:6: executing "format" at <.Foo>: can\'t evaluate field Foo in type Report',
    });
  });

  test("is refused with the line of the mistake when it is none", () => {
    expect(render("{{.Version").parseError).toBe("template: format:1: unclosed action");
    expect(render("a\n{{if .Ready}}\nb").parseError).toBe("template: format:3: unexpected EOF");
    expect(render("text {{nothing}}")).toEqual({
      output: "",
      parseError: 'template: format:1: function "nothing" not defined',
    });
  });
});

describe("where Go tells more of itself than of the report, a template", () => {
  const errorOf = (format: string) => render(format).error?.replace(/^.*>: /, "");

  test("names the index that is out of range", () => {
    expect(errorOf("{{index .Router.Targets 2}}")).toBe(
      "error calling index: index out of range: 2",
    );
    expect(errorOf('{{index "abc" 3}}')).toBe("error calling index: index out of range: 3");
  });

  test("knows no capacity of a list beyond its length", () => {
    expect(errorOf("{{slice .Router.Targets 3}}")).toBe(
      "error calling slice: index out of range: 3",
    );
  });

  test("names the type and not the whole value that cannot be compared", () => {
    expect(errorOf("{{eq .Router .Router}}")).toBe(
      "error calling eq: non-comparable type RouterReport",
    );
    expect(errorOf("{{eq .Router.Targets .DNS}}")).toBe(
      "error calling eq: non-comparable types []string, *DnsReport",
    );
  });

  test("says that nil has no length", () => {
    expect(errorOf("{{len nil}}")).toBe("error calling len: len of nil pointer");
  });

  test("prints what a pointer within a value points to, not its address", () => {
    expect(render("{{.}}").output).toContain("&{weave.local. [8.8.8.8] 172.17.0.1:53 1 [{pingme.");
  });

  test("has no complex numbers and no addresses", () => {
    expect(render("{{1+2i}}").parseError).toBe(
      "template: format:1: complex numbers are not supported",
    );
    expect(render('{{printf "%p" .Router.Targets}}').output).toBe(
      "%!p([]string=[10.0.0.2 host-3.example])",
    );
  });

  test("finds nothing to call", () => {
    expect(errorOf("{{call .Version}}")).toBe("error calling call: non-function of type string");
  });

  test("assigns the variables of a range", () => {
    const format =
      "{{$i := 9}}{{$e := 9}}{{range $i, $e = .Router.Targets}}{{$i}}{{$e}} {{end}}{{$i}}{{$e}}";
    expect(render(format).output).toBe("010.0.0.2 1host-3.example 1host-3.example");
  });
});

describe("a template over data without a type", () => {
  const data = {
    text: "é",
    whole: 7,
    half: 0.5,
    large: 2n ** 64n - 1n,
    yes: true,
    nothing: null,
    list: [1, "a", null],
    object: { b: 1, a: "x" },
  };
  const plain = (format: string) => renderTemplate(format, data);
  const output = (format: string) => plain(format).output;

  test("prints values as Go does, and objects like structs", () => {
    expect(output("{{.text}} {{.whole}} {{.half}} {{.large}} {{.yes}} {{.nothing}}")).toBe(
      "é 7 0.5 18446744073709551615 true <nil>",
    );
    expect(output("{{.list}} {{.object}}")).toBe("[1 a <nil>] {1 x}");
    expect(output('{{printf "%+v" .object}}')).toBe("{b:1 a:x}");
    expect(output("{{json .object}}")).toBe('{"b":1,"a":"x"}');
  });

  test("takes null for an empty list and for false", () => {
    expect(output("{{len .nothing}}{{range .nothing}}x{{else}}-{{end}}")).toBe("0-");
    expect(output("{{if .nothing}}x{{else}}-{{end}}{{eq .nothing nil}}")).toBe("-true");
    expect(plain("{{.nothing.x}}").error).toEndWith("nil pointer evaluating nil.x");
  });

  test("ranges over an object by its keys in order, and indexes it", () => {
    expect(output("{{range $key, $value := .object}}{{$key}}={{$value}} {{end}}")).toBe("a=x b=1 ");
    expect(output('{{index .object "b"}} {{len .object}}')).toBe("1 2");
  });

  test("sees the members of an object and nothing of the language beneath", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      const error = `can't evaluate field ${name} in type object`;
      expect(plain(`{{.${name}}}`).error).toEndWith(error);
      expect(plain(`{{.list.${name}}}`).error).toContain("can't evaluate field");
      expect(output(`{{index .object "${name}"}}`)).toBe("<no value>");
    }
  });

  test("cuts strings by bytes and leaves a mark where a character was cut", () => {
    expect(output('{{len .text}} {{slice "aé" 0 2}} {{index .text 0}}')).toBe("2 a\ufffd 195");
  });

  test("takes a member as it looks when it does not fit its type", () => {
    const type = struct("Thing", { n: int, s: string, l: slice(int), m: map(any) });
    const wrong = { n: "x", s: 1, l: {}, m: [1] };
    expect(renderTemplate("{{.n}} {{.s}} {{.l}} {{.m}}", wrong, type).output).toBe("x 1 {} [1]");
    expect(renderTemplate("{{.}}", {}, type).output).toBe("{0  [] map[]}");
    expect(renderTemplate("{{.}}", null, type).output).toBe("{0  [] map[]}");
  });

  test("lets a type say how its values print", () => {
    const type = struct("Thing", { n: int }, { print: () => "a thing" });
    expect(renderTemplate('{{.}} {{printf "%q" .}} {{.n}}', { n: 1 }, type).output).toBe(
      'a thing "a thing" 1',
    );
  });
});
