/** What a resolver file says (resolv.conf(5)), as far as a forwarder heeds it. */
export interface ResolvConf {
  /** Words after `nameserver`, in order, not validated. */
  readonly servers: readonly string[];
  /** Seconds to wait for one server; `undefined` when the file does not say. */
  readonly timeoutS: number | undefined;
  /** Rounds over all servers; 1 when the file does not say. */
  readonly attempts: number;
  /** Whether to begin with another server each time. */
  readonly rotate: boolean;
}

/** glibc's own limits: whatever is larger counts as these. */
const timeoutMaxS = 30;
const attemptsMax = 5;

/** Far more than any resolver uses. */
export const serversMax = 32;

export const emptyResolvConf: ResolvConf = {
  servers: [],
  timeoutS: undefined,
  attempts: 1,
  rotate: false,
};

/** Reads any text: lines and options that mean nothing here are passed over. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let { timeoutS, attempts, rotate } = emptyResolvConf;
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined && servers.length < serversMax) {
      servers.push(words[0]);
    }
    if (keyword !== "options") continue;
    for (const word of words) {
      if (word === "rotate") rotate = true;
      timeoutS = optionValue(word, "timeout", timeoutMaxS) ?? timeoutS;
      attempts = optionValue(word, "attempts", attemptsMax) ?? attempts;
    }
  }
  return { servers, timeoutS, attempts, rotate };
}

/** The number behind `name:`, from 1 to `max`. */
function optionValue(word: string, name: string, max: number): number | undefined {
  const match = new RegExp(`^${name}:(\\d{1,9})$`).exec(word);
  return match === null ? undefined : Math.min(Math.max(Number(match[1]), 1), max);
}
