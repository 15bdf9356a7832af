import type { CommandSpec } from "../command-spec.ts";
import { adoptionFlags, launchFlags, serviceFlags } from "./launch-flags.ts";
import { refusedServiceFlags } from "./refused-launch-flags.ts";
import { peerArguments } from "./shared-parts.ts";

/** The router's life: launch, stop, reset, logs. */
export const routerCommands: readonly CommandSpec[] = [
  {
    name: "launch",
    group: "Router",
    needsRoot: true,
    summary: "start the router on this host and connect it to others",
    description: [
      "Starts the router as a daemon of its own, waits until it is ready and prints the id of this run. Peers are other hosts that already run weave; one is enough to join a cluster of any size, and hosts find the rest by themselves.",
      "Everything the router keeps in files lies in two folders, named by WEAVE_RUN_DIR (default /run/weave: socket, pid file, log) and WEAVE_STATE_DIR (default /var/lib/weave: addresses, peers, name).",
      "A router that dies is started again by itself, at once at first and then after growing pauses of up to a minute; it takes up its name, its addresses and the peers that it had, those of 'weave connect' included. 'weave stop' ends that, --no-restart keeps it from beginning.",
      "Options and peers may stand in any order.",
    ],
    arguments: [{ ...peerArguments, minimum: 0 }],
    flags: launchFlags,
    examples: [
      { line: "weave launch", explains: "the first host" },
      { line: "weave launch 192.168.48.11", explains: "a further host, which joins the first" },
      {
        line: "weave launch --password-file /etc/weave/password 192.168.48.11",
        explains: "encrypted; every host needs the same password",
      },
      {
        line: "weave launch --ipalloc-range 10.2.0.0/16 --ipalloc-default-subnet 10.2.2.0/24",
        explains: "other addresses; the range must be the same on every host",
      },
    ],
    exitCodes: [
      { code: 1, when: "something answers on the control address already, or a check failed" },
      { code: 3, when: "the router is already running" },
      { code: 125, when: "an option is unknown or its value is wrong" },
    ],
    usageExitCode: 125,
  },
  {
    name: "stop",
    group: "Router",
    needsRoot: true,
    summary: "stop the router; containers keep their addresses and local traffic",
    description: [
      "Stops the router. What it knows stays on disk, so that a later launch takes up the same name, addresses and (with --resume) peers. Containers stay attached.",
      "Docker's network 'weave' goes with the router, and so do the sockets at which Docker finds its plugin. Containers that are connected to that network still are listed: they go on, and so does the network, but Docker may take long over them until the router is back.",
    ],
    arguments: [],
    flags: [],
    examples: [{ line: "weave stop", explains: "does nothing when the router is not running" }],
  },
  {
    name: "reset",
    group: "Router",
    needsRoot: true,
    summary: "leave the cluster for good and remove everything weave made on this host",
    description: [
      "Hands this host's addresses to another peer, stops the router and removes its devices, firewall rules and stored state. Run it before a host leaves the cluster: the others then need not guess whether it comes back.",
    ],
    arguments: [],
    flags: [
      {
        name: "force",
        summary: "clean up although the router is not running and cannot leave the cluster",
      },
    ],
    examples: [
      { line: "weave reset", explains: "leave the cluster" },
      {
        line: "weave reset --force",
        explains: "clean a host whose router does not start any more",
      },
    ],
    exitCodes: [{ code: 1, when: "the router is not running and --force was not given" }],
  },
  {
    name: "logs",
    group: "Router",
    summary: "print the router's log",
    description: ["Prints the log of the router's current or last run."],
    arguments: [],
    flags: [
      { name: "follow", short: "f", summary: "go on printing as the router writes" },
      {
        name: "tail",
        value: { kind: "integer", placeholder: "n" },
        default: "all",
        summary: "begin with the last <n> lines",
      },
    ],
    examples: [{ line: "weave logs -f --tail 20", explains: "the last lines and what follows" }],
    exitCodes: [{ code: 1, when: "no router has run here" }],
  },
  {
    name: "setup-systemd",
    group: "Router",
    summary: "make the router a service of systemd",
    description: [
      "Writes the unit weave.service, and the options and peers given here, which are those of 'weave launch', to /etc/default/weave. Without any, what an earlier setup wrote there stays.",
      "The variables by which Docker's client finds and asks its engine here (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_CONTEXT and so on) go to /etc/default/weave-docker in the same way, and what DOCKER_HOST says becomes the option --docker-api.",
      "systemd then starts the router, tells when it is ready, watches it and starts it again when it dies or does not move any more. The unit leaves the router only the powers that it needs. 'weave status', 'attach' and all others work as with 'weave launch'; the log is in 'journalctl -u weave'.",
    ],
    arguments: [{ ...peerArguments, minimum: 0 }],
    flags: [
      { name: "now", summary: "start it, and have it started at every boot" },
      {
        name: "root",
        value: { kind: "file", placeholder: "folder" },
        default: "/",
        summary: "write below this folder: for images of other systems",
      },
      ...serviceFlags,
      ...refusedServiceFlags,
    ],
    examples: [
      { line: "weave setup-systemd --now", explains: "the first host" },
      {
        line: "weave setup-systemd --now --password-file /etc/weave/password 192.168.48.11",
        explains: "a further one, encrypted",
      },
    ],
    exitCodes: [
      { code: 1, when: "the files cannot be written, or systemd does not start the service" },
      { code: 3, when: "--now, and a router runs that systemd has not started" },
    ],
  },
  {
    name: "adopt",
    group: "Router",
    needsRoot: true,
    summary: "take this host over from its router of Weave Net 2.x",
    description: [
      "Finds the router of Weave Net 2.x that runs on this host, or the stopped container of one, and prints its settings and what is going to be done. Then stops it for good, takes up its name, password, options, peers, ranges, addresses, exposed addresses and names, and launches a router of this kind in its place. Bridge and containers stay as they are, with their addresses.",
      "When a step fails, those before it are taken back, latest first, and the container of the old router is started again.",
      "Options of 'weave launch' that Weave Net 2.x has nothing of, those on events, traces and policies among them, may be given for the new router.",
      "On a terminal it asks before it changes anything; elsewhere it needs --yes.",
    ],
    arguments: [],
    flags: [
      { name: "dry-run", summary: "only print what was found and would be done" },
      { name: "yes", short: "y", summary: "do it without asking" },
      {
        name: "docker-api",
        value: { kind: "text", placeholder: "endpoint" },
        default: "unix:///var/run/docker.sock",
        environment: "DOCKER_HOST",
        summary: "where the Docker engine answers that runs the old router",
      },
      ...adoptionFlags,
    ],
    examples: [
      { line: "weave adopt --dry-run", explains: "what would be done" },
      { line: "weave adopt --yes", explains: "for scripts: one host after the other" },
      {
        line: "weave adopt --yes --events-file /var/log/weave/audit.jsonl",
        explains: "with its taking over as the first line of that file",
      },
    ],
    exitCodes: [
      { code: 1, when: "there is no such router, or it cannot be replaced, or goes on as it was" },
      { code: 3, when: "a router of this kind runs already" },
    ],
  },
  {
    name: "snapshot",
    group: "Router",
    needsRoot: true,
    summary: "save what this host's router remembers to a file, or restore it",
    description: [
      "Saves the name of this peer, its addresses and who owns which, exposed addresses, registered names and the peers that it connects to, with a checksum. The router may run meanwhile. Passwords and options of 'weave launch' are not part of it.",
      "'restore' makes that the state of this host, for a router that is launched afterwards. Who owns which addresses may have changed since, so the router asks its peers: it claims those that it held, and gives out others when it knows. --ranges restores the ownership as well: only where no other host has it any more, and then on all of them.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "action",
        choices: ["save", "restore"],
        summary: "which way",
        minimum: 1,
        maximum: 1,
      },
      {
        kind: "file",
        placeholder: "file",
        summary: "the snapshot; standard output or input with `-` or without",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [
      { name: "force", summary: "restore: replace the state that is there" },
      { name: "ranges", summary: "restore: also who owns which addresses" },
    ],
    examples: [
      { line: "weave snapshot save /backup/weave.json", explains: "beside a running router" },
      {
        line: "weave snapshot restore /backup/weave.json",
        explains: "after the disk of this host was lost, before 'weave launch --resume'",
      },
    ],
    exitCodes: [
      { code: 1, when: "there is no state to save, or other state, or no sound snapshot" },
      { code: 3, when: "restore, and the router runs" },
    ],
  },
  {
    name: "upgrade-self",
    group: "Router",
    needsRoot: true,
    summary: "replace the running router by another version, without interrupting anybody",
    description: [
      "Starts the new router beside the one that runs. When it is ready it gets sockets, links and routes from the other, takes up its state, and connects to the peers, which have their links to the former router until then. Frames that a datapath of the kernel carries are not touched at all; those that take sleeve pause for some hundredths of a second, twice. Peers of the original see the router as started anew.",
      "With a file, that program is tried first and takes the place of the one that runs. With a version, or the word latest, it is that of a release, which is downloaded from where install.sh has it, WEAVE_BASE_URL, and used only if its checksum is right; completions and manual page stay as they are. Without either, the router starts what is in its place by now: after an installation, or to have a running router take up its program again. When anything fails, the router that ran goes on, and its program is put back.",
      "Requests that wait for an address are cancelled. A router that 'weave launch --foreground' has started needs systemd as its service manager.",
    ],
    arguments: [
      {
        kind: "file",
        placeholder: "file|version",
        summary: "a program, or a release such as 3.1.0; a file of such a name is ./3.1.0",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [],
    examples: [
      { line: "weave upgrade-self ./weave", explains: "to the program in this folder" },
      { line: "weave upgrade-self 3.1.0", explains: "to a release" },
      { line: "weave upgrade-self", explains: "to what has been installed meanwhile" },
    ],
    exitCodes: [{ code: 1, when: "the router does not run, or goes on as it was" }],
  },
];
