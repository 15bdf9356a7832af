import { calmCompiler } from "./calm-compiler.ts";

/**
 * The router as a service of systemd (systemd.service(5), systemd.exec(5)).
 *
 * What it may do is as narrow as its work allows. It moves interfaces between namespaces, loads
 * programs into the kernel, writes sysctls, packet filter rules and the hosts files of containers;
 * so kernel tunables and the files of containers stay writable, and namespaces may be entered. Its
 * compiler needs memory that is written and executed. Mounts of the host have to reach it, for
 * containers' namespaces are mounts: nothing here makes them private.
 */
export const unitPath = "/etc/systemd/system/weave.service";

/** Where the words stand that are given to `weave launch`. */
export const wordsPath = "/etc/default/weave";

/** Where the variables stand by which the router finds the Docker engine. */
export const engineVariablesPath = "/etc/default/weave-docker";

/** By this line a file is known to be ours to write again. */
export const unitMark =
  "# Written by 'weave setup-systemd'. For changes of your own: systemctl edit weave";

/**
 * What a router and the programs that it starts (iptables) are allowed of root's powers. Containers
 * that cannot be attached are ended whatever user they run as.
 */
export const serviceCapabilities = [
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_ADMIN",
  "CAP_SYS_PTRACE",
  "CAP_KILL",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_CHOWN",
  "CAP_FOWNER",
] as const;

/** `program` is how to start weave: an absolute path, and arguments if it is started by another. */
export function systemdUnit(program: readonly string[]): string {
  const compiler = Object.entries(calmCompiler).map(([name, value]) => `${name}=${value}`);
  return `${unitMark}
[Unit]
Description=weave: one flat Ethernet for containers on many hosts
Documentation=man:weave(1)
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
# Which Docker engine, as for its client: DOCKER_TLS_VERIFY="1"
EnvironmentFile=-${engineVariablesPath}
# Peers and options: WEAVE_ARGS="--nickname web1 192.168.48.11"
EnvironmentFile=-${wordsPath}
# As 'weave launch' sets them: a third of the processor time of a start into a large cluster.
Environment=${compiler.join(" ")}
ExecStart=${program.join(" ")} launch --foreground $WEAVE_ARGS
Restart=on-failure
RestartSec=1s
TimeoutStartSec=60s
TimeoutStopSec=20s
WatchdogSec=60s
RuntimeDirectory=weave
RuntimeDirectoryMode=0711
RuntimeDirectoryPreserve=yes
StateDirectory=weave
StateDirectoryMode=0700
LimitNOFILE=65536
LimitMEMLOCK=infinity
OOMScoreAdjust=-500
CapabilityBoundingSet=${serviceCapabilities.join(" ")}
NoNewPrivileges=yes
ProtectSystem=yes
ProtectHome=read-only
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
RestrictNamespaces=net
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}
