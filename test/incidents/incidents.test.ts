import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Diagnosis } from "../../lib/diagnosis/doctor/diagnosis.ts";
import type { Explanation } from "../../lib/diagnosis/why/explanation.ts";
import type { Host } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { openBrowser, Visit } from "../page/browser.ts";
import { contradiction } from "./firing-alerts.ts";
import { incidents } from "./incidents.ts";

/**
 * Each incident is named by whatever people look at: `weave doctor`, `weave why`, an alert, the page;
 * and no alert fires that names another.
 */
const rules = join(import.meta.dir, "../../deploy/prometheus/weave.rules.yaml");
const patienceMs = 90_000;

beforeAll(() => {
  for (const [program, from] of [
    ["promtool", "prometheus"],
    ["chromium", "chromium"],
  ] as const) {
    if (Bun.which(program) === null) throw new Error(`install Debian's package ${from}`);
  }
});

describe("an incident is named by doctor, why, an alert and the page", () => {
  for (const [number, planned] of incidents.entries()) {
    const { name, doctor, why, begin } = planned;
    test(name, async () => {
      await using incident = await begin(`wi${number}`);
      const { lab } = incident;
      const [one] = lab.hosts as [Host, Host];
      const before = await scrape(one);
      await incident.plant();
      await eventually(
        doctor.code,
        async () => {
          await incident.use?.();
          return asked<Diagnosis>(one, ["doctor"]);
        },
        ({ findings }) =>
          findings.some(
            ({ code, sentence }) => code === doctor.code && sentence.includes(doctor.words),
          ),
        patienceMs,
      );
      const { findings } = await asked<Explanation>(one, ["why", ...why.about]);
      expect(findings.map(({ code }) => code)).toContain(why.code);
      const after = await scrape(one);
      await pageSays(one, lab.folder, doctor.words);
      await incident.use?.();
      const told = { before, after: [after, await scrape(one)] as const };
      expect(await contradiction(rules, told, planned)).toBe("");
    }, 240_000);
  }
});

async function asked<Answer>(host: Host, words: readonly string[]): Promise<Answer> {
  return JSON.parse((await host.weave([...words, "--json"])).stdout);
}

/** What a host tells of itself at this moment. */
async function scrape(host: Host): Promise<string> {
  return (await host.exec(["curl", "-sf", "http://127.0.0.1:6784/metrics"])).stdout;
}

async function pageSays(host: Host, folder: string, words: string): Promise<void> {
  const browser = await openBrowser(folder, host);
  try {
    await using visit = await Visit.of(browser, await host.mustWeave(["ui"]));
    await visit.page.getByRole("tab", { name: "Problems" }).click();
    await visit.shows(words);
    expect(visit.complaints).toEqual([]);
  } finally {
    await browser.close();
  }
}
