/**
 * A counter of TCP out of `/proc/net/snmp` of a network namespace, by its name there: `PassiveOpens`,
 * `RetransSegs`, … (RFC 4022).
 */
export function tcpCounter(snmp: string, name: string): number {
  const [names = [], values = []] = snmp
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf(name)]);
}
