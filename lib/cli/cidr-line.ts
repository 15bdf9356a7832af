import * as v from "valibot";
import { readAnswer } from "./answer.ts";

/** The answer of attach, detach, expose and hide: the addresses concerned, in the order asked for. */
export const cidrAnswer = v.object({ cidrs: v.array(v.string()) });

/** Addresses without prefix lengths on one line, as scripts read it: an empty line for none. */
export function cidrLine(body: string): string {
  const { cidrs } = readAnswer(cidrAnswer, body);
  return `${cidrs.map((cidr) => cidr.split("/")[0]).join(" ")}\n`;
}
