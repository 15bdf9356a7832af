import type { Beliefs } from "../../simulator/beliefs.ts";
import { Choice } from "../page/parts.tsx";

interface BeliefTableProps {
  readonly beliefs: Beliefs;
  /** Of all hosts, dead ones too. */
  readonly numbers: readonly number[];
  readonly selected: number;
  label(number: number): string;
  select(number: number): void;
}

/** What each host takes to be so, a row each. */
export function BeliefTable({ beliefs, numbers, selected, label, select }: BeliefTableProps) {
  return (
    <table class="beliefs">
      <caption>What each believes</caption>
      <thead>
        <tr>
          <th scope="col">Host</th>
          <th scope="col">reaches</th>
          <th scope="col">names</th>
          <th scope="col">out of reach</th>
          <th scope="col">ring</th>
        </tr>
      </thead>
      <tbody>
        {numbers.map((number) => {
          const belief = beliefs.each.find((each) => each.number === number);
          const stranded = [...(belief?.stranded.values() ?? [])].reduce((a, b) => a + b, 0);
          const ring = beliefs.rings.findIndex((group) => group.includes(number));
          return (
            <tr key={number} class={number === selected ? "chosen" : ""}>
              <th scope="row">
                <Choice onChoose={() => select(number)}>{label(number)}</Choice>
              </th>
              {belief === undefined ? (
                <td colSpan={4} class="faint">
                  dead
                </td>
              ) : (
                <>
                  <td>{belief.reached.length - 1}</td>
                  <td>{belief.names}</td>
                  <td>{stranded === 0 ? "–" : `${stranded} addresses`}</td>
                  <td>
                    {belief.ranges.length === 0
                      ? "none"
                      : beliefs.rings.length === 1
                        ? "as all"
                        : `view ${ring + 1}`}
                  </td>
                </>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
