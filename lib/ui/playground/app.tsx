import { useEffect, useRef, useState } from "preact/hooks";
import { Live } from "./live.tsx";
import type { Incident } from "./open-incident.ts";
import { openIncident, refusalText } from "./open-incident.ts";
import { Replay } from "./replay.tsx";

/** The simulator in a page: five hosts to play with, or what a bundle tells. */
export function App() {
  const [incident, setIncident] = useState<Incident | undefined>();
  const [said, setSaid] = useState("");
  const [isOver, setOver] = useState(false);
  const latest = useRef<File>(undefined);
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    latest.current = file;
    setSaid(`Replaying ${file.name} …`);
    const [opened, refusal] = await openIncident(file).then(
      (each) => [each, ""] as const,
      (error: unknown) => [undefined, refusalText(error)] as const,
    );
    // Whoever has opened another meanwhile waits for that.
    if (latest.current !== file) return;
    if (opened !== undefined) setIncident(opened);
    setSaid(refusal);
  };
  useDrop((file) => void open(file), setOver);
  return (
    <div class={`play ${isOver ? "over" : ""}`}>
      <header>
        <h1>weave</h1>
        <p class="summary">
          {incident === undefined
            ? "Five hosts with the real protocols, in this page. Cut what you like."
            : `What ${incident.title} tells, replayed`}
        </p>
        {incident !== undefined && (
          <button type="button" onClick={() => setIncident(undefined)}>
            Back to five hosts
          </button>
        )}
        <label class="open">
          Open a bundle
          <input
            type="file"
            onChange={(event) => void open(event.currentTarget.files?.[0] ?? undefined)}
          />
        </label>
      </header>
      {said !== "" && (
        <p class="said" role="status">
          {said}
        </p>
      )}
      {incident === undefined ? <Live /> : <Replay incident={incident} />}
    </div>
  );
}

/** A file may be dropped anywhere on the page. */
function useDrop(take: (file: File | undefined) => void, hover: (isOver: boolean) => void): void {
  useEffect(() => {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      hover(true);
    };
    const leave = (): void => hover(false);
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      hover(false);
      take(event.dataTransfer?.files[0]);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  });
}
