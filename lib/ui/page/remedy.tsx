export interface RemedyProps {
  readonly code: string;
  readonly remedy: string;
  readonly commands: readonly string[];
}

/** What to do about something, and by which commands. */
export function Remedy({ code, remedy, commands }: RemedyProps) {
  return (
    <>
      <p class="faint">
        {remedy} <code class="code">{code}</code>
      </p>
      {commands.length > 0 && <pre>{commands.join("\n")}</pre>}
    </>
  );
}
