#!/bin/sh
# Stands in for `iptables` on a kernel without a packet filter for IP: keeps chains and rules beside
# itself, in the file `rules`, and applies none. Understands what a router of the original asks for.
[ "$1" = --version ] && echo "iptables v1.8.9 (legacy)" && exit
rules=$(dirname "$0")/rules
touch "$rules"
table=$2 command=$3 chain=$4
shift 3
[ $# -gt 0 ] && shift
[ "$command" = -I ] && command=-A && case $1 in [0-9]*) shift ;; esac
rule="$table $chain $*"
rule=${rule%--wait}
has() { grep -Fxq -e "$1" "$rules"; }
without() {
	awk -v line="$1" '$0 == line && !done { done = 1; next } { print }' "$rules" >"$rules.new"
	mv "$rules.new" "$rules"
}
case $command in
-N) ! has "$table :$chain" && echo "$table :$chain" >>"$rules" ;;
-A) printf '%s\n' "$rule" >>"$rules" ;;
-C) has "$rule" ;;
-D) has "$rule" && without "$rule" ;;
-F)
	awk -v start="$table $chain " 'index($0, start) != 1' "$rules" >"$rules.new"
	mv "$rules.new" "$rules"
	;;
-X) has "$table :$chain" && without "$table :$chain" ;;
-S) sed -n -e "s/^$table :/-N /p" -e "s/^$table \([^:]\)/-A \1/p" "$rules" ;;
*) exit 2 ;;
esac
