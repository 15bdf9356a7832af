import { cutText } from "./bytes.ts";

/** Characters of what a peer calls itself. */
export const nicknameMaxLength = 256;

/** A nickname as others keep it: longer ones are cut, for they are for display, and every peer stores every one. */
export function cutNickname(heard: string): string {
  return cutText(heard, nicknameMaxLength);
}
