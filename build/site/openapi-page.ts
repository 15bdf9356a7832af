/** A page of Markdown made of the description of the control API, for the site alone. */

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
}

interface Answer {
  readonly description?: string;
  readonly $ref?: string;
}

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Answer>> };
}

/** Chapters as the description has them, with each request, what it takes, and what it answers. */
export function openApiMarkdown(api: OpenApi): string {
  const requests = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `\`${method.toUpperCase()} ${path}\``,
      operation,
    })),
  );
  const chapters = api.tags.map(({ name }) => {
    const own = requests.filter(({ operation }) => operation.tags.includes(name));
    const parts = own.map((each) => requestText(each.title, each.operation, api));
    return `## ${name}\n\n${parts.join("\n")}`;
  });
  const lead = `${api.info.description} The same for programs: [openapi.json](docs/openapi.json).`;
  return `# The control API, request by request\n\n${lead}\n\n${chapters.join("\n")}`;
}

function requestText(title: string, operation: Operation, api: OpenApi): string {
  const { summary, description, parameters, requestBody, responses } = operation;
  const lines = [`### ${title}`, "", sentence(summary)];
  if (description !== undefined) lines.push("", sentence(description));
  if (parameters.length > 0) {
    lines.push("", "| Takes | In | |", "|---|---|---|");
    for (const { name, in: place, description: what = "", required } of parameters) {
      lines.push(row(`\`${name}\``, place, required === true ? `${what}; required` : what));
    }
  }
  if (requestBody !== undefined) {
    lines.push("", `As a body: ${Object.keys(requestBody.content).map(code).join(", ")}.`);
  }
  lines.push("", "| Answers | |", "|---|---|");
  for (const [status, answer] of Object.entries(responses)) {
    const named = api.components.responses[answer.$ref?.split("/").at(-1) ?? ""];
    lines.push(row(status, (named ?? answer).description ?? ""));
  }
  return `${lines.join("\n")}\n`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A number and a dot at its beginning are no item of a list. */
function sentence(text: string): string {
  const whole = (text.slice(0, 1).toUpperCase() + text.slice(1)).replace(/^(\d+)\./, "$1\\.");
  return /[.!?:]$/.test(whole) ? whole : `${whole}.`;
}
