import type { CommandHandler } from "../context.ts";
import { patientRequest } from "../patient-request.ts";

export const prime: CommandHandler = async (context) => {
  await patientRequest(context, { method: "GET", path: ["ring"], feature: "address allocation" });
  return 0;
};
