import type { Problem } from "./problems.ts";

const tabs = ["Network", "Problems", "Names", "Addresses", "Events"] as const;
export type Tab = (typeof tabs)[number];

export interface TabsProps {
  readonly tab: Tab;
  readonly problems: readonly Problem[] | undefined;
  setTab(tab: Tab): void;
}

export function Tabs({ tab, problems, setTab }: TabsProps) {
  return (
    <div class="tabs" role="tablist" aria-label="What to show">
      {tabs.map((each) => (
        <button
          type="button"
          role="tab"
          key={each}
          aria-selected={tab === each}
          onClick={() => setTab(each)}
        >
          {each}
          {each === "Problems" && <Badge problems={problems ?? []} />}
        </button>
      ))}
    </div>
  );
}

/** How many there are, in the colour of the worst. */
function Badge({ problems }: { problems: readonly Problem[] }) {
  const [worst] = problems;
  if (worst === undefined) return null;
  return <span class={`badge ${worst.severity}`}>{problems.length}</span>;
}
