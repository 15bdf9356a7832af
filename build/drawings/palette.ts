/** What the things of a drawing are, which is what their colours say. */
export type Tone = "container" | "kernel" | "process" | "news" | "policy" | "trouble" | "plain";

/** Colours by the names of their custom properties, without the dashes before them. */
export interface Palette {
  readonly light: ReadonlyMap<string, string>;
  readonly dark: ReadonlyMap<string, string>;
}

/** Which colour of the page stands for which tone. */
const colourOf: Readonly<Record<Tone, string>> = {
  container: "owner3",
  kernel: "good",
  process: "accent",
  news: "slow",
  policy: "owner4",
  trouble: "broken",
  plain: "faint",
};

/**
 * The colours of the router's own page, so that drawings and page look alike.
 *
 * @param style its style sheet, which begins with those for light and has those for dark behind them
 * @throws Error when it has none for either
 */
export function paletteOf(style: string): Palette {
  const [light, dark] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, body]) =>
      new Map([...body!.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, k, v]) => [k!, v!])),
  );
  if (light === undefined || dark === undefined) throw new Error("the page has lost its colours");
  return { light, dark };
}

/** The style sheet of a drawing: light, and dark for who prefers that. */
export function styleSheet({ light, dark }: Palette, tones: ReadonlySet<Tone>): string {
  const fonts = [
    "text{font:14px system-ui,sans-serif;text-anchor:middle}",
    ".small{font-size:12px}",
    ".strong{font-weight:600}",
    ".start{text-anchor:start}",
    ".end{text-anchor:end}",
    ".way{fill:none;stroke-width:2}",
    ".dashed{stroke-dasharray:5 4}",
    ".box{fill-opacity:.1;stroke-width:1.5}",
    ".box.plain{fill-opacity:.04}",
  ];
  const colours = (of: ReadonlyMap<string, string>): string =>
    [
      `.paper{fill:${of.get("background")};stroke:${of.get("line")}}`,
      `.panel{fill:${of.get("surface")};stroke:${of.get("line")}}`,
      `text{fill:${of.get("text")}}`,
      `.faint{fill:${of.get("faint")}}`,
      `.blank{fill:${of.get("background")}}`,
      ...[...tones].sort().flatMap((tone) => {
        const colour = of.get(colourOf[tone]);
        return [
          `.${tone}{stroke:${colour}}`,
          `.box.${tone},.tip.${tone},.${tone}.dot{fill:${colour}}`,
        ];
      }),
    ].join("");
  return `${fonts.join("")}${colours(light)}@media (prefers-color-scheme:dark){${colours(dark)}}`;
}
