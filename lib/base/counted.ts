/** `1 host`, `2 hosts`; `many` where an s is not enough, as in `2 policies`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
