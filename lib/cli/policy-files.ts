import { readFileSync } from "node:fs";
import { errorText, WeaveError } from "../base/errors.ts";

/** Documents of files, those of a List one by one. The only file of the command line that knows YAML. */
export interface PolicyFiles {
  readonly documents: readonly object[];
  /** Those that say what is expected, and are nothing to be applied. */
  readonly tables: readonly object[];
}

/**
 * Reads files of documents in YAML, of which JSON is a part.
 *
 * @param read the text of a file by its name
 * @throws WeaveError `POLICY_FILE`, `POLICY_FILE_EMPTY`
 */
export async function readPolicyFiles(
  files: readonly string[],
  read: (file: string) => Promise<string>,
): Promise<PolicyFiles> {
  const found: object[] = [];
  for (const file of files) found.push(...documentsOf(file, await read(file)));
  if (found.length === 0) {
    throw new WeaveError("POLICY_FILE_EMPTY", "there are no documents to read", {
      remedy: "name files with -f, or - for standard input",
    });
  }
  const isTable = (document: object): boolean => "expectations" in document;
  return {
    documents: found.filter((document) => !isTable(document)),
    tables: found.filter(isTable),
  };
}

/** The text of a file. @throws WeaveError `POLICY_FILE` */
export function readPolicyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new WeaveError("POLICY_FILE", `cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

function documentsOf(file: string, text: string): object[] {
  let parsed: unknown;
  try {
    parsed = Bun.YAML.parse(text);
    // A value that is a part of itself can be written in YAML, and told to nobody.
    JSON.stringify(parsed);
  } catch (cause) {
    throw new WeaveError("POLICY_FILE", `${file} is neither YAML nor JSON: ${errorText(cause)}`, {
      remedy: "write documents as Kubernetes has them, with --- between two",
      cause,
    });
  }
  return flattened(parsed).map((document) => {
    if (typeof document === "object" && document !== null) return document;
    throw new WeaveError("POLICY_FILE", `${file}: "${String(document)}" is no document`, {
      remedy: "write apiVersion, kind, metadata and spec, as Kubernetes has them",
    });
  });
}

/** Several documents are a list, and so may one be; empty ones are left out. */
function flattened(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(flattened);
  const isList = typeof value === "object" && "items" in value && Array.isArray(value.items);
  return isList ? flattened(value.items) : [value];
}

/** A document as people write it. */
export function policyYaml(document: unknown): string {
  return `${Bun.YAML.stringify(document, null, 2).trimEnd()}\n`;
}
