import { useMemo } from "preact/hooks";
import type { Picture } from "../../api/picture-models.ts";
import { listNames } from "./names.ts";
import { Choice } from "./parts.tsx";

/** At most so many are shown; who wants others searches for them. */
const shownMax = 200;

export interface NameListProps {
  readonly picture: Picture;
  readonly query: string;
  select(key: string): void;
}

/** Names in DNS, and whose they are. */
export function NameList({ picture, query, select }: NameListProps) {
  const names = useMemo(() => listNames(picture, query), [picture, query]);
  if (names.length === 0) {
    const text = query === "" ? "Nobody has a name in DNS yet." : "No name in DNS is like that.";
    return <p class="faint">{text}</p>;
  }
  return (
    <>
      <p class="faint" role="status">
        {names.length.toLocaleString("en")} names in DNS
        {names.length > shownMax ? `, the first ${shownMax}: search for others` : ""}
      </p>
      <ul class="plain" aria-label="Names in DNS">
        {names.slice(0, shownMax).map(({ name, key, addresses, host }) => (
          <li key={`${name} ${key}`}>
            <Choice onChoose={() => select(key)}>{name}</Choice>{" "}
            <span class="faint">
              {addresses.join(", ")} on {host}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
