export function renderTemplate(
  _f: string,
  _d: unknown,
): { output: string; error?: string; parseError?: string } {
  return { output: "", error: "stub" };
}
