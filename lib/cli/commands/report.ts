import type { CommandHandler } from "../context.ts";

export const report: CommandHandler = async ({ api, flags, stdout }) => {
  const format = flags.text("format");
  const body = await api.request(
    format === undefined
      ? { method: "GET", path: ["report"], accept: "application/json" }
      : { method: "GET", path: ["report"], query: [["format", format]] },
  );
  stdout.write(body);
  return 0;
};
