/**
 * `text` without what a terminal would obey. Peers of other hosts call themselves what they like, and
 * so do names and containers: none of them may move the cursor, set a title or hide a line. Colours,
 * which are ours, stay, and so do line ends and tabs.
 */
export function forTerminal(text: string): string {
  return text.replaceAll(/\p{Cc}(\[\d*m)?/gu, (found, colour: string | undefined) => {
    const isHarmless = found.startsWith("\n") || found.startsWith("\t");
    const isColour = found.startsWith("\u001b") && colour !== undefined;
    return isHarmless || isColour ? found : `\ufffd${colour ?? ""}`;
  });
}

/**
 * `text` as a part of one line whose columns count: without colours and line ends as well, nor what
 * turns the direction of writing (Unicode Bidi_Control) and so would have other parts change places.
 */
export function forOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\ufffd");
}
