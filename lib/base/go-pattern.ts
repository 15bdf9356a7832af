import { WeaveError } from "./errors.ts";

/**
 * Regular expressions as Go's `regexp` takes them (the syntax of RE2), and its templates for what
 * replaces a match, on top of the language's own. What RE2 lacks is refused, so that a pattern means
 * the same to routers of either kind.
 *
 *   (?P<name>…) (?<name>…)   groups                $1 ${1} $name ${name}   in a template; the longest
 *   (?i) (?i:…), also m, s   flags                                         name counts; `$$` is a dollar
 *   \A \z \Q…\E \pL [[:alpha:]] \x{10FFFF} \a
 */
export interface GoPattern {
  /** As Go's `ReplaceAllString`; a text without a match stays as it is. */
  replaceAll(text: string, template: string): string;
}

const classes: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** @throws WeaveError `PATTERN_SYNTAX` */
export function parseGoPattern(pattern: string): GoPattern {
  const expression = compile(pattern);
  return {
    replaceAll(text, template) {
      let result = "";
      let done = 0;
      for (const match of text.matchAll(expression)) {
        // An empty match that touches the one before it does not count.
        if (match[0] === "" && match.index === done && match.index > 0) continue;
        result += text.slice(done, match.index) + expand(template, match);
        done = match.index + match[0].length;
      }
      return result + text.slice(done);
    },
  };
}

function compile(pattern: string): RegExp {
  const translated = translate(pattern);
  try {
    return new RegExp(translated, "gu");
  } catch (cause) {
    throw syntaxError(pattern, cause);
  }
}

function syntaxError(pattern: string, cause?: unknown): WeaveError {
  return new WeaveError("PATTERN_SYNTAX", `"${pattern}" is no regular expression of RE2`, {
    remedy: "see https://github.com/google/re2/wiki/Syntax",
    cause,
  });
}

/** What begins at a place of a pattern, longest first; the last takes any one character. */
const tokens = new RegExp(
  [
    /\\Q(?<quoted>[\s\S]*?)(?:\\E|$)/,
    /\\(?<letter>[ACEzabfnrtvdDsSwWB])/,
    /\\p(?<property>[A-Z])/,
    /\\(?<negation>P)(?<absent>[A-Z])/,
    /(?<script>\\[pP]\{\^?\w+\})/,
    /\\x\{(?<long>[0-9A-Fa-f]{1,6})\}/,
    /(?<short>\\x[0-9A-Fa-f]{2})/,
    /\\(?<octal>0[0-7]{0,2}|[1-7][0-7]{2})/,
    /\\(?<sign>[!-/:-@[-`{-~])/,
    /(?<stray>\\[\s\S]?)/,
    /\(\?P?<(?<name>\w+)>/,
    /\(\?(?<flags>[ims]*(?:-[ims]+)?)(?<scope>[:)])/,
    /(?<odd>\(\?)/,
    /\[:(?<not>\^?)(?<posix>\w+):\]/,
    /(?<other>[\s\S])/u,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu",
);

const letters: Readonly<Record<string, string>> = {
  A: "(?<![\\s\\S])",
  z: "(?![\\s\\S])",
  a: "\\x07",
  // White space and letters of ASCII alone, as Go has it.
  s: "[\\t\\n\\f\\r ]",
  S: "[^\\t\\n\\f\\r ]",
};

function translate(pattern: string): string {
  let out = "";
  /** Groups that `(?i)` opened at each level, and that its end has to close. */
  const opened = [0];
  let isInClass = false;
  for (const { groups, 0: token } of pattern.matchAll(tokens)) {
    const at = groups ?? {};
    if (at.stray !== undefined || at.odd !== undefined) throw syntaxError(pattern);
    const isFirst = /(?<!\\)\[\^?$/.test(out);
    if (isInClass && (token === "[" || (token === "]" && isFirst))) out += "\\";
    else if (isInClass && token === "]") isInClass = false;
    else if (!isInClass && token === "[") isInClass = true;
    else if (!isInClass && (token === "(" || at.name !== undefined || at.scope === ":")) {
      opened.push(0);
    } else if (!isInClass && at.scope === ")") opened[opened.length - 1]!++;
    else if (!isInClass && token === ")") out += ")".repeat(opened.pop() ?? 0);
    out += translated(token, at, isInClass);
  }
  return out + ")".repeat(opened.at(-1) ?? 0);
}

function translated(
  token: string,
  at: Readonly<Record<string, string | undefined>>,
  isInClass: boolean,
): string {
  if (at.quoted !== undefined) return RegExp.escape(at.quoted);
  if (at.letter !== undefined) return letter(token, at.letter, isInClass);
  if (at.property !== undefined) return `\\p{${at.property}}`;
  if (at.absent !== undefined) return `\\P{${at.absent}}`;
  if (at.long !== undefined) return `\\u{${at.long}}`;
  if (at.octal !== undefined) return `\\u{${Number.parseInt(at.octal, 8).toString(16)}}`;
  if (at.sign !== undefined) return escaped(at.sign);
  if (at.script !== undefined) return script(at.script);
  if (at.posix !== undefined) return isInClass ? posix(token, at.not === "^", at.posix) : token;
  if (isInClass) return token;
  if (at.name !== undefined) return `(?<${at.name}>`;
  // A switch lasts to the end of its group, which here has to be a group of its own.
  if (at.scope !== undefined) return at.flags ? `(?${at.flags}:` : "(?:";
  return token;
}

function letter(token: string, name: string, isInClass: boolean): string {
  if ("CE".includes(name) || (isInClass && "AzbB".includes(name))) throw syntaxError(token);
  if (isInClass && name === "s") return "\\t\\n\\f\\r ";
  return letters[name] ?? token;
}

/** `\p{Greek}` is a script; general categories have at most two letters. */
function script(token: string): string {
  const [, negation, caret, name] = /^\\([pP])\{(\^?)(\w+)\}$/.exec(token)!;
  const isNegative = (negation === "P") !== (caret === "^");
  const property = name!.length > 2 ? `Script=${name}` : name;
  return `\\${isNegative ? "P" : "p"}{${property}}`;
}

function posix(token: string, isNegated: boolean, name: string): string {
  const found = classes[name];
  if (found === undefined || isNegated) throw syntaxError(token);
  return found;
}

function escaped(sign: string): string {
  return `\\u{${sign.codePointAt(0)!.toString(16)}}`;
}

/** Groups that do not exist, or did not take part, are empty. */
function expand(template: string, match: RegExpExecArray): string {
  return template.replace(
    /\$(?:(\$)|(\w+)|\{(\w+)\})/g,
    (_all, dollar: string | undefined, plain: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return "$";
      const name = plain ?? braced ?? "";
      return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? "";
    },
  );
}
