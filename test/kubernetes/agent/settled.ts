/** Resolves when nothing is left to do at this instant of a virtual clock. */
export async function settled(): Promise<void> {
  // A chain of promises of this length is longer than any that is waited for here.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
