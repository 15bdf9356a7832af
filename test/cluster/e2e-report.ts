/** What became of one case of upstream's tests. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** Why it failed. */
  readonly reason: string;
}

/**
 * Reads a report of JUnit as upstream's test program writes it:
 *
 *   <testsuite …><testcase name="[sig-network] …" classname="…" time="14.2">
 *     <skipped></skipped> | <failure type="Failure">why …</failure> | nothing
 *   </testcase>…
 */
export function readReport(xml: string): CaseResult[] {
  const cases = xml.matchAll(
    /<testcase name="([^"]*)"[^>]*? time="([\d.]+)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs,
  );
  return [...cases].map(([, name = "", time, body = ""]) => {
    const failure = /<failure[^>]*>(.*?)<\/failure>/s.exec(body)?.[1];
    const outcome =
      failure !== undefined ? "failed" : body.includes("<skipped") ? "skipped" : "passed";
    const reason = plain(failure ?? "").trim();
    return { name: plain(name), outcome, seconds: Number(time), reason };
  });
}

/** Cases whose servers and clients use SCTP, which not every kernel has sockets of. */
export function needsSctp(name: string): boolean {
  return name.includes("using SCTP");
}

const entities: Readonly<Record<string, string>> = {
  ...{ "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#34;": '"', "&#39;": "'" },
  ...{ "&#xA;": "\n", "&#x9;": "\t" },
};

function plain(text: string): string {
  return text.replaceAll(/&[#\w]+;/g, (entity) => entities[entity] ?? entity);
}
