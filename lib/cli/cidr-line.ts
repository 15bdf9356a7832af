import { cidrsAnswer } from "../api/container-models.ts";
import { readAnswer } from "./answer.ts";

/**
 * The addresses that attach, detach, expose and hide are about, in the order asked for, without
 * prefix lengths on one line, as scripts read it: an empty line for none.
 */
export function cidrLine(body: string): string {
  const { cidrs } = readAnswer(cidrsAnswer, body);
  return `${cidrs.map((cidr) => cidr.split("/")[0]).join(" ")}\n`;
}
