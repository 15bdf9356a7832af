#!/bin/sh
# What operators of Weave Net 2.8 have in their playbooks, on one host of two: the documented command
# line and nothing else, its output taken apart by grep, awk, sed and cut. The test gives it
#   PEER  address of the other host     C1, C2  containers here
# and it must run to its end, unchanged.
set -eu

say() { echo "== $*"; }
fail() {
	echo "FAIL: $*" >&2
	exit 1
}
same() { [ "$1" = "$2" ] || fail "$3: '$1' is not '$2'"; }

say "launch, and wait until the cluster is there"
id=$(weave launch --nickname here --ipalloc-range 10.2.0.0/16 --ipalloc-default-subnet 10.2.1.0/24 \
	--ipalloc-init consensus=2 --no-restart "$PEER")
echo "$id" | grep -Eq '^[0-9a-f]{64}$' || fail "launch printed '$id'"
code=0
weave launch "$PEER" >/dev/null 2>&1 || code=$?
same "$code" 3 "exit code of a second launch"
tries=0
until weave status | grep -q "Peers: 2 (with 2 established connections)"; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || fail "no connection: $(weave status connections)"
	sleep 1
done
weave prime
same "$(weave status targets)" "$PEER" "targets"

say "status, as monitoring reads it"
weave status >/dev/null
field() { weave status | awk -F': ' -v key="$1" '{ gsub(/^ +/, "", $1) } $1 == key { print $2; exit }'; }
same "$(field Status)" "ready" "status of ipam"
same "$(field Range)" "10.2.0.0/16" "range"
same "$(field Domain)" "weave.local." "domain"
same "$(field Peers)" "2 (with 2 established connections)" "peers"
same "$(field Connections)" "1 (1 established)" "connections"
same "$(field Encryption)" "disabled" "encryption"
own=$(weave report -f '{{.Router.Name}}({{.Router.NickName}})')
same "$(field Name)" "$own" "own name"
same "$(weave status peers | grep -c '^[0-9a-f]')" 2 "peers with their links"
same "$(weave status ipam | awk '{ sum += $2 } END { print sum }')" 65536 "addresses of all peers"
weave status connections | awk '$1 !~ /^(->|<-)$/ || $3 != "established" { exit 1 }' || fail "connections"
same "$(weave report -f '{{len .Router.Peers}}')" 2 "peers in the report"
same "$(weave report -f '{{range .Router.Targets}}{{.}}{{"\n"}}{{end}}')" "$PEER" "targets in the report"
weave report | grep -q '"Ready": true' || fail "report"

say "containers"
ip1=$(weave attach "$C1")
ip2=$(weave attach net:default net:10.2.3.0/24 "$C2" | cut -d' ' -f1)
echo "$ip1" | grep -Eq '^10\.2\.1\.[0-9]+$' || fail "attach printed '$ip1'"
same "$(weave attach "$C1")" "$ip1" "address of one attached again"
weave attach 10.2.9.7/24 "$C1" >/dev/null
same "$(weave ps "$C1" | awk '{ print NF }')" 4 "id, MAC and two addresses"
weave ps "$C1" | grep -q " $ip1/24 10.2.9.7/24$" || fail "ps: $(weave ps "$C1")"
weave ps | grep -q '^weave:expose ' || fail "ps without the host"
same "$(weave ps | wc -l | tr -d ' ')" 3 "lines of ps"
active=$(weave status ipam | sed -n '1s/.*(\([0-9]*\) active)$/\1/p')
[ "$active" -ge 4 ] || fail "only $active addresses are active"

say "this host on the network"
mine=$(weave expose -h gw.weave.local)
ping -c 1 -W 5 "$ip1" >/dev/null || fail "the host does not reach $ip1"
same "$(weave expose)" "$mine" "address of one exposed again"
same "$(weave dns-lookup gw)" "$mine" "name of the host"

say "names"
weave dns-add "$ip1" "$C1" -h web.weave.local
weave dns-add "$ip2" "$C2" -h web.weave.local
weave dns-add 10.9.9.9 -h outside.weave.local
same "$(weave dns-lookup web | sort | tr '\n' ' ')" "$(printf '%s\n' "$ip1" "$ip2" | sort | tr '\n' ' ')" "web"
same "$(weave status dns | awk '$1 == "web"' | wc -l | tr -d ' ')" 2 "web in status dns"
same "$(weave dns-lookup nobody)" "" "a name that nobody has"
weave dns-remove "$ip2" "$C2" -h web.weave.local
same "$(weave dns-lookup web.weave.local)" "$ip1" "web after dns-remove"
weave dns-args | grep -Eq '^--dns=[0-9.]+ --dns-search=weave\.local\.$' || fail "dns-args: $(weave dns-args)"
same "$(weave report -f '{{.DNS.Domain}}')" "weave.local." "domain in the report"

say "other hosts"
weave connect 192.0.2.1
weave status targets | grep -qx 192.0.2.1 || fail "connect"
weave forget 192.0.2.1
if weave status targets | grep -q 192.0.2.1; then fail "forget"; fi
weave rmpeer nobody | grep -qx '0 IPs taken over from nobody' || fail "rmpeer"
code=0
weave status nonsense >/dev/null 2>&1 || code=$?
same "$code" 1 "exit code of a wrong sub-command"

say "and away again"
same "$(weave detach "$C1")" "$ip1" "detach"
same "$(weave detach 10.2.9.7/24 "$C1")" "10.2.9.7" "detach of an address"
same "$(weave ps "$C1")" "" "ps after detach"
same "$(weave hide)" "$mine" "hide"
weave version | head -n 1 | grep -q '^weave script ' || fail "version"
weave reset
code=0
weave report >/dev/null 2>&1 || code=$?
same "$code" 7 "exit code without a router"
say "done"
