import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What Go 1.19 makes of a template over one of two reports; types without their package. */
export interface TemplateCase {
  readonly format: string;
  /** `full`, or `bare`: a router that knows nobody, without allocation and DNS. */
  readonly report: "full" | "bare";
  readonly output: string;
  readonly error?: string;
  readonly parseError?: string;
}

interface Table {
  readonly reports: Readonly<Record<TemplateCase["report"], Readonly<Record<string, unknown>>>>;
  readonly cases: readonly TemplateCase[];
}

/** 64-bit numbers stand in the table as decimal strings. */
function withBigInts(key: string, value: unknown): unknown {
  const large = (key === "UID" || key === "Version") && /^\d+$/.test(String(value));
  return large && typeof value === "string" ? BigInt(value) : value;
}

const file = join(import.meta.dir, "../vectors/template/cases.json");
const table: Table = JSON.parse(readFileSync(file, "utf8"), withBigInts);

export const { reports, cases } = table;
