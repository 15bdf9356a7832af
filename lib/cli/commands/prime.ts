import type { CommandHandler } from "../context.ts";

export const prime: CommandHandler = async ({ api }) => {
  await api.request({
    method: "GET",
    path: ["ring"],
    feature: "address allocation",
    patient: true,
  });
  return 0;
};
