/** Container engines name containers by so many hexadecimal digits, of which people read twelve. */
const [idDigits, shownDigits] = [64, 12];
const pattern = new RegExp(`^[0-9a-f]{${idDigits}}$`);

/** Whether a text is the id of a container as an engine has it. */
export function isEngineId(text: string): boolean {
  return pattern.test(text);
}

/** What people read of such an id; `undefined` for any other text. */
export function shortEngineId(text: string): string | undefined {
  return isEngineId(text) ? text.slice(0, shownDigits) : undefined;
}
