import type { Page } from "playwright-core";

/**
 * What people with little sight, or with a screen reader, cannot use: text with less contrast than
 * WCAG 2.2 demands (1.4.3: 4.5 to 1), and what can be operated and has no name (4.1.2).
 */
export function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Rgb = readonly [number, number, number];
    const rgb = (text: string): Rgb | undefined => {
      const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [];
      return numbers.length < 3 || numbers[3] === 0
        ? undefined
        : [numbers[0]!, numbers[1]!, numbers[2]!];
    };
    const light = (colour: Rgb): number => {
      const [r, g, b] = colour.map((each) => {
        const share = each / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const behind = (element: Element): Rgb => {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const colour = rgb(getComputedStyle(at).backgroundColor);
        if (colour !== undefined) return colour;
      }
      return [255, 255, 255];
    };
    const wrong: string[] = [];
    for (const element of document.querySelectorAll("body *")) {
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== "",
      );
      if (!hasText || element.closest("script, style, svg") || !element.checkVisibility()) continue;
      const front = rgb(getComputedStyle(element).color)!;
      const [more, less] = [light(front), light(behind(element))].sort((a, b) => b - a);
      const contrast = (more! + 0.05) / (less! + 0.05);
      if (contrast < 4.5)
        wrong.push(`${contrast.toFixed(1)}: ${element.textContent!.slice(0, 40)}`);
    }
    for (const element of document.querySelectorAll("button, input, select, canvas, [role=img]")) {
      const name = element.getAttribute("aria-label") ?? element.closest("label")?.textContent;
      if (!(name ?? element.textContent)?.trim()) wrong.push(`no name: ${element.outerHTML}`);
    }
    return wrong;
  });
}
