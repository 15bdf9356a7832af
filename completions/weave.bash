# bash completion for weave; made from its command table by 'weave completion bash'

_weave_words() { candidates+="$1"$'\n'; }
_weave_router() { candidates+="$(weave complete-values "$1" 2>/dev/null)"$'\n'; }

# Sets candidates for the value of a flag; fails when the word before takes none.
_weave_flag_value() {
  case "$1" in
    "launch --password") : ;;
    "launch --password-file") candidates+="$(compgen -f -- "$current")" ;;
    "launch --trusted-subnets") : ;;
    "launch --port") : ;;
    "launch --host") : ;;
    "launch --name") : ;;
    "launch --nickname") : ;;
    "launch --conn-limit") : ;;
    "launch --min-protocol-version") : ;;
    "launch --ipalloc-range") : ;;
    "launch --ipalloc-default-subnet") : ;;
    "launch --ipalloc-init") : ;;
    "launch --ipalloc-reuse") _weave_words lowest-first; _weave_words rested ;;
    "launch --reclaim-after") : ;;
    "launch --import-db") candidates+="$(compgen -f -- "$current")" ;;
    "launch --dns-domain") : ;;
    "launch --dns-listen-address") : ;;
    "launch --dns-ttl") : ;;
    "launch --dns-fallback-timeout") : ;;
    "launch --resolv-conf") candidates+="$(compgen -f -- "$current")" ;;
    "launch --mtu") : ;;
    "launch --weave-bridge") : ;;
    "launch --docker-bridge") : ;;
    "launch --datapath") : ;;
    "launch --bufsz") : ;;
    "launch --proxy-listen" | "launch -H") : ;;
    "launch --hostname-from-label") : ;;
    "launch --hostname-match") : ;;
    "launch --hostname-replacement") : ;;
    "launch --tlscacert") candidates+="$(compgen -f -- "$current")" ;;
    "launch --tlscert") candidates+="$(compgen -f -- "$current")" ;;
    "launch --tlskey") candidates+="$(compgen -f -- "$current")" ;;
    "launch --plugin-socket") candidates+="$(compgen -f -- "$current")" ;;
    "launch --plugin-mesh-socket") candidates+="$(compgen -f -- "$current")" ;;
    "launch --policy") _weave_words auto; _weave_words on; _weave_words off ;;
    "launch --policy-multicast") _weave_words allow; _weave_words deny; _weave_words egress ;;
    "launch --policy-filter") _weave_words auto; _weave_words nftables; _weave_words iptables ;;
    "launch --policy-standing") _weave_words keep; _weave_words cut ;;
    "launch --events-file") candidates+="$(compgen -f -- "$current")" ;;
    "launch --events-syslog") : ;;
    "launch --events-syslog-facility") _weave_words user; _weave_words daemon; _weave_words auth; _weave_words authpriv; _weave_words local0; _weave_words local1; _weave_words local2; _weave_words local3; _weave_words local4; _weave_words local5; _weave_words local6; _weave_words local7 ;;
    "launch --otlp-endpoint") : ;;
    "launch --http-addr") : ;;
    "launch --status-addr") : ;;
    "launch --metrics-addr") : ;;
    "launch --docker-api") : ;;
    "launch --log-level") _weave_words debug; _weave_words info; _weave_words warning; _weave_words error ;;
    "logs --tail") : ;;
    "setup-systemd --root") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --password-file") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --trusted-subnets") : ;;
    "setup-systemd --port") : ;;
    "setup-systemd --host") : ;;
    "setup-systemd --name") : ;;
    "setup-systemd --nickname") : ;;
    "setup-systemd --conn-limit") : ;;
    "setup-systemd --min-protocol-version") : ;;
    "setup-systemd --ipalloc-range") : ;;
    "setup-systemd --ipalloc-default-subnet") : ;;
    "setup-systemd --ipalloc-init") : ;;
    "setup-systemd --ipalloc-reuse") _weave_words lowest-first; _weave_words rested ;;
    "setup-systemd --reclaim-after") : ;;
    "setup-systemd --import-db") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --dns-domain") : ;;
    "setup-systemd --dns-listen-address") : ;;
    "setup-systemd --dns-ttl") : ;;
    "setup-systemd --dns-fallback-timeout") : ;;
    "setup-systemd --resolv-conf") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --mtu") : ;;
    "setup-systemd --weave-bridge") : ;;
    "setup-systemd --docker-bridge") : ;;
    "setup-systemd --datapath") : ;;
    "setup-systemd --bufsz") : ;;
    "setup-systemd --proxy-listen" | "setup-systemd -H") : ;;
    "setup-systemd --hostname-from-label") : ;;
    "setup-systemd --hostname-match") : ;;
    "setup-systemd --hostname-replacement") : ;;
    "setup-systemd --tlscacert") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --tlscert") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --tlskey") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --plugin-socket") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --plugin-mesh-socket") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --policy") _weave_words auto; _weave_words on; _weave_words off ;;
    "setup-systemd --policy-multicast") _weave_words allow; _weave_words deny; _weave_words egress ;;
    "setup-systemd --policy-filter") _weave_words auto; _weave_words nftables; _weave_words iptables ;;
    "setup-systemd --policy-standing") _weave_words keep; _weave_words cut ;;
    "setup-systemd --events-file") candidates+="$(compgen -f -- "$current")" ;;
    "setup-systemd --events-syslog") : ;;
    "setup-systemd --events-syslog-facility") _weave_words user; _weave_words daemon; _weave_words auth; _weave_words authpriv; _weave_words local0; _weave_words local1; _weave_words local2; _weave_words local3; _weave_words local4; _weave_words local5; _weave_words local6; _weave_words local7 ;;
    "setup-systemd --otlp-endpoint") : ;;
    "setup-systemd --http-addr") : ;;
    "setup-systemd --status-addr") : ;;
    "setup-systemd --metrics-addr") : ;;
    "setup-systemd --docker-api") : ;;
    "setup-systemd --log-level") _weave_words debug; _weave_words info; _weave_words warning; _weave_words error ;;
    "adopt --docker-api") : ;;
    "adopt --ipalloc-reuse") _weave_words lowest-first; _weave_words rested ;;
    "adopt --reclaim-after") : ;;
    "adopt --policy") _weave_words auto; _weave_words on; _weave_words off ;;
    "adopt --policy-multicast") _weave_words allow; _weave_words deny; _weave_words egress ;;
    "adopt --policy-filter") _weave_words auto; _weave_words nftables; _weave_words iptables ;;
    "adopt --policy-standing") _weave_words keep; _weave_words cut ;;
    "adopt --events-file") candidates+="$(compgen -f -- "$current")" ;;
    "adopt --events-syslog") : ;;
    "adopt --events-syslog-facility") _weave_words user; _weave_words daemon; _weave_words auth; _weave_words authpriv; _weave_words local0; _weave_words local1; _weave_words local2; _weave_words local3; _weave_words local4; _weave_words local5; _weave_words local6; _weave_words local7 ;;
    "adopt --otlp-endpoint") : ;;
    "kube --node-name") : ;;
    "attach --add-host") : ;;
    "attach --label") : ;;
    "expose --fqdn" | "expose -h") _weave_router fqdn ;;
    "policy --filename" | "policy -f") candidates+="$(compgen -f -- "$current")" ;;
    "policy --namespace" | "policy -n") : ;;
    "dns-add --fqdn" | "dns-add -h") _weave_router fqdn ;;
    "dns-remove --fqdn" | "dns-remove -h") _weave_router fqdn ;;
    "status --interval") : ;;
    "top --interval") : ;;
    "events --since") : ;;
    "events --kind") : ;;
    "events --container") _weave_router container ;;
    "events --peer") _weave_router peer ;;
    "report --format" | "report -f") : ;;
    "report --redact") : ;;
    "demo --name") : ;;
    "simulate --seed") : ;;
    "simulate --peers") : ;;
    "simulate --faults") : ;;
    "simulate --minutes") : ;;
    "simulate --reclaim") : ;;
    "simulate --bundle") candidates+="$(compgen -f -- "$current")" ;;
    "simulate --until") : ;;
    "simulate --step") : ;;
    *) return 1 ;;
  esac
}

_weave_arguments() {
  case "$1" in
    launch) _weave_router peer ;;
    setup-systemd) _weave_router peer ;;
    snapshot) _weave_words save; _weave_words restore; candidates+="$(compgen -f -- "$current")" ;;
    upgrade-self) candidates+="$(compgen -f -- "$current")" ;;
    kube) _weave_words run; _weave_words init; _weave_words uninstall; _weave_router peer ;;
    attach) _weave_words net:default; _weave_router container ;;
    detach) _weave_words net:default; _weave_router container ;;
    expose) _weave_words net:default ;;
    hide) _weave_words net:default ;;
    ps) _weave_router container ;;
    policy) _weave_words apply; _weave_words delete; _weave_words get; _weave_words explain; _weave_words test; _weave_router policy ;;
    dns-add) :; _weave_router container ;;
    dns-remove) :; _weave_router container ;;
    dns-lookup) _weave_router fqdn ;;
    connect) _weave_router peer ;;
    forget) _weave_router peer ;;
    rmpeer) _weave_router peer-id ;;
    status) _weave_words targets; _weave_words connections; _weave_words peers; _weave_words dns; _weave_words ipam ;;
    why) _weave_router place; _weave_router place ;;
    report) candidates+="$(compgen -f -- "$current")" ;;
    help) _weave_words launch; _weave_words stop; _weave_words reset; _weave_words logs; _weave_words setup-systemd; _weave_words adopt; _weave_words snapshot; _weave_words upgrade-self; _weave_words setup-cni; _weave_words kube; _weave_words attach; _weave_words detach; _weave_words expose; _weave_words hide; _weave_words attach-bridge; _weave_words ps; _weave_words policy; _weave_words env; _weave_words config; _weave_words dns-add; _weave_words dns-remove; _weave_words dns-lookup; _weave_words dns-args; _weave_words connect; _weave_words forget; _weave_words prime; _weave_words rmpeer; _weave_words status; _weave_words doctor; _weave_words why; _weave_words top; _weave_words map; _weave_words ui; _weave_words events; _weave_words report; _weave_words version; _weave_words demo; _weave_words simulate; _weave_words help; _weave_words completion ;;
    completion) _weave_words bash; _weave_words zsh; _weave_words fish ;;
  esac
}

_weave() {
  COMPREPLY=()
  # Words as they stand on the line: bash itself splits them at : and =.
  local line="${COMP_LINE:0:COMP_POINT}" candidates="" flags="" words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=$((${#words[@]} - 1)) command="${words[1]}"
  local current="${words[last]}" before="${words[last - 1]}"
  if ((last == 1)); then
    candidates="launch stop reset logs setup-systemd adopt snapshot upgrade-self setup-cni kube attach detach expose hide attach-bridge ps policy env config dns-add dns-remove dns-lookup dns-args connect forget prime rmpeer status doctor why top map ui events report version demo simulate help completion --help --version"
    candidates="${candidates// /$'\n'}"
  else
    case "$command" in
    launch) flags="--password --password-file --trusted-subnets --port --host --name --nickname --no-discovery --conn-limit --min-protocol-version --no-extensions --resume --ipalloc-range --ipalloc-default-subnet --ipalloc-init --ipalloc-reuse --reclaim-after --import-db --no-dns --dns-domain --dns-listen-address --dns-ttl --dns-fallback-timeout --resolv-conf --mtu --no-fastdp --no-bridged-fastdp --weave-bridge --docker-bridge --datapath --no-masq-local --bufsz --proxy --proxy-listen -H --no-default-ipalloc --without-dns --no-multicast-route --no-rewrite-hosts --hostname-from-label --hostname-match --hostname-replacement --rewrite-inspect --tls --tlsverify --tlscacert --tlscert --tlskey --no-detect-tls --plugin --plugin-socket --plugin-mesh-socket --plugin-v2 --plugin-v2-multicast --policy --policy-multicast --policy-filter --policy-standing --events-file --events-syslog --events-syslog-facility --otlp-endpoint --otlp --foreground --http-addr --status-addr --metrics-addr --docker-api --log-level --pkt-debug --no-restart --help" ;;
    stop) flags="--help" ;;
    reset) flags="--force --help" ;;
    logs) flags="--follow -f --tail --help" ;;
    setup-systemd) flags="--now --root --password-file --trusted-subnets --port --host --name --nickname --no-discovery --conn-limit --min-protocol-version --no-extensions --resume --ipalloc-range --ipalloc-default-subnet --ipalloc-init --ipalloc-reuse --reclaim-after --import-db --no-dns --dns-domain --dns-listen-address --dns-ttl --dns-fallback-timeout --resolv-conf --mtu --no-fastdp --no-bridged-fastdp --weave-bridge --docker-bridge --datapath --no-masq-local --bufsz --proxy --proxy-listen -H --no-default-ipalloc --without-dns --no-multicast-route --no-rewrite-hosts --hostname-from-label --hostname-match --hostname-replacement --rewrite-inspect --tls --tlsverify --tlscacert --tlscert --tlskey --no-detect-tls --plugin --plugin-socket --plugin-mesh-socket --plugin-v2 --plugin-v2-multicast --policy --policy-multicast --policy-filter --policy-standing --events-file --events-syslog --events-syslog-facility --otlp-endpoint --otlp --http-addr --status-addr --metrics-addr --docker-api --log-level --pkt-debug --help" ;;
    adopt) flags="--dry-run --yes -y --docker-api --no-extensions --ipalloc-reuse --reclaim-after --policy --policy-multicast --policy-filter --policy-standing --events-file --events-syslog --events-syslog-facility --otlp-endpoint --otlp --no-restart --help" ;;
    snapshot) flags="--force --ranges --help" ;;
    upgrade-self) flags="--help" ;;
    setup-cni) flags="--json --help" ;;
    kube) flags="--node-name --network --stay --help" ;;
    attach) flags="--without-dns --rewrite-hosts --add-host --label --no-multicast-route --help" ;;
    detach) flags="--help" ;;
    expose) flags="--fqdn -h --without-masquerade --help" ;;
    hide) flags="--help" ;;
    attach-bridge) flags="--help" ;;
    ps) flags="--json --help" ;;
    policy) flags="--filename -f --namespace -n --json --help" ;;
    env) flags="--restore --help" ;;
    config) flags="--help" ;;
    dns-add) flags="--fqdn -h --help" ;;
    dns-remove) flags="--fqdn -h --help" ;;
    dns-lookup) flags="--json --help" ;;
    dns-args) flags="--json --help" ;;
    connect) flags="--replace --help" ;;
    forget) flags="--help" ;;
    prime) flags="--help" ;;
    rmpeer) flags="--force --help" ;;
    status) flags="--watch -w --interval --json --help" ;;
    doctor) flags="--json --help" ;;
    why) flags="--json --help" ;;
    top) flags="--interval --once --help" ;;
    map) flags="--containers -c --all -a --ascii --dot --json --help" ;;
    ui) flags="--json --help" ;;
    events) flags="--follow -f --since --kind --container --peer --json --help" ;;
    report) flags="--format -f --bundle --redact --help" ;;
    version) flags="--json --help" ;;
    demo) flags="--keep --name --remove --help" ;;
    simulate) flags="--seed --peers --faults --minutes --reclaim --trace --bundle --until --step --json --help" ;;
    help) flags="--help" ;;
    completion) flags="--help" ;;
    esac
    if [[ $current == --*=* ]]; then
      before="${current%%=*}" current="${current#*=}"
    fi
    if ! _weave_flag_value "$command $before"; then
      if [[ $current == -* ]]; then candidates="${flags// /$'\n'}"; else _weave_arguments "$command"; fi
    fi
  fi
  # Not by compgen -W, which expands words: names come from other hosts and may hold anything.
  local candidate
  while IFS= read -r candidate; do
    if [[ -n $candidate && $candidate == "$current"* ]]; then
      COMPREPLY+=("$(printf %q "$candidate")")
    fi
  done <<<"$candidates"
  # Readline replaces only what follows the last colon.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
  fi
}

complete -F _weave weave
