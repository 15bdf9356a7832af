#!/bin/sh
# Installs weave. Two ways of use, neither asks a question:
#
#   in a checkout      ./install.sh [--prefix DIR] [--dev]
#       builds weave and installs it. Needs npm (for the pinned Bun) and, for the libraries that
#       the executable carries, apt; with --dev also installs what the tests need.
#
#   from the network   curl -fsSL <base>/latest/install.sh | sh -s -- [--prefix DIR] [--version V]
#       downloads the release for this system from WEAVE_BASE_URL, verifies its checksum and
#       installs it.
#
#   ./install.sh --uninstall [--prefix DIR] removes exactly what was installed there.
set -eu
export LC_ALL=C

# Written into the copy that is published with a release.
default_base_url=""
# What the executable carries a copy of, and what the tests run.
build_packages="libnl-3-200 libsodium23"
dev_packages="iproute2 iputils-ping procps ethtool tcpdump curl git fish zsh shellcheck groff-base openssl iptables ipset nftables conntrack bind9-dnsutils util-linux containernetworking-plugins"

prefix=/usr/local
action=install
dev=no
version=latest
scratch=""

main() {
	read_options "$@"
	case $action in
	uninstall) uninstall ;;
	*)
		check_prefix
		if checkout=$(find_checkout); then
			install_from_checkout
		else
			install_from_network
		fi
		;;
	esac
}

say() { printf '%s\n' "$*"; }

fail() {
	printf 'install.sh: %s\n' "$1" >&2
	shift
	for line in "$@"; do printf '  %s\n' "$line" >&2; done
	exit 1
}

usage() {
	cat <<'TXT'
Usage: install.sh [--prefix DIR] [--dev] [--version V] [--uninstall]

  --prefix DIR   install under DIR (default /usr/local)
  --dev          in a checkout: install what the tests need as well
  --version V    from the network: this release instead of the latest
  --uninstall    remove what was installed under the prefix

Environment: WEAVE_BASE_URL, where releases are published
TXT
}

read_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--prefix | --version)
			[ $# -ge 2 ] || fail "$1 needs a value"
			set_option "$1" "$2"
			shift
			;;
		--prefix=* | --version=*) set_option "${1%%=*}" "${1#*=}" ;;
		--dev) dev=yes ;;
		--uninstall) action=uninstall ;;
		-h | --help)
			usage
			exit 0
			;;
		*)
			usage >&2
			fail "unknown option: $1"
			;;
		esac
		shift
	done
	case $prefix in
	/*) ;;
	*) prefix=$(pwd)/$prefix ;;
	esac
	manifest=$prefix/share/weave/manifest
}

set_option() {
	[ -n "$2" ] || fail "$1 needs a value"
	case $1 in
	--prefix)
		prefix=${2%/}
		[ -n "$prefix" ] || prefix=/
		;;
	--version) version=$2 ;;
	esac
}

# Says no before anything is fetched or built.
check_prefix() {
	folder=$prefix
	while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
	if [ ! -d "$folder" ] || ! probe=$(mktemp "$folder/.weave-install.XXXXXX" 2>/dev/null); then
		fail "cannot write to $prefix" \
			"run this as root, or choose a folder of your own: --prefix \$HOME/.local"
	fi
	rm -f "$probe"
}

# The folder of this script, when it is a checkout of the sources.
find_checkout() {
	[ -f "$0" ] || return 1
	folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || return 1
	[ -f "$folder/package.json" ] && [ -f "$folder/cmd/weave.ts" ] || return 1
	printf '%s\n' "$folder"
}

# Name of this system in release files; Bun calls one of the two differently.
platform() {
	[ "$(uname -s)" = Linux ] || fail "weave runs on Linux, not on $(uname -s)"
	case $(uname -m) in
	x86_64 | amd64) echo linux-x64 ;;
	aarch64 | arm64) echo linux-arm64 ;;
	*) fail "there is no weave for processors of type $(uname -m)" \
		"it runs on x86_64 and on aarch64" ;;
	esac
}

make_scratch() {
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT TERM HUP
}

# ---- in a checkout -----------------------------------------------------------------------------

install_from_checkout() {
	system=$(platform)
	install_packages
	find_bun
	cd "$checkout"
	if [ "$dev" = yes ]; then
		"$bun" install --frozen-lockfile
	else
		"$bun" install --frozen-lockfile --production
	fi
	"$bun" run build/build.ts
	begin_manifest
	install_tree "$checkout/dist/weave" "$checkout"
	install_bun
	end_manifest
}

# Debian packages that are missing; with none missing this needs neither apt nor root.
install_packages() {
	wanted=$build_packages
	[ "$dev" = no ] || wanted="$wanted $dev_packages"
	missing=""
	for package in $wanted; do
		has_package "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || fail "these Debian packages are missing:$missing" \
		"install what your distribution calls them, and run this again"
	[ "$(id -u)" = 0 ] || fail "these Debian packages are missing:$missing" \
		"run this as root, or install them first"
	say "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of words
	apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && return 0
	# Most often the package lists are absent or old.
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

has_package() {
	if command -v dpkg-query >/dev/null; then
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
	else
		case $1 in
		lib*) ldconfig -p 2>/dev/null | grep -q "${1%%-*}" ;;
		*) return 1 ;;
		esac
	fi
}

# Sets bun to the pinned version: the one on PATH, or one fetched from npm into build/cache.
find_bun() {
	pinned=$(sed -n 's/.*"bun": *"\([0-9.]*\)".*/\1/p' "$checkout/package.json")
	bun=$(command -v bun || true)
	if [ -n "$bun" ] && [ "$("$bun" --version 2>/dev/null)" = "$pinned" ]; then return 0; fi
	flavour=$(bun_flavour)
	cache=$checkout/build/cache/bun-$pinned
	bun=$cache/node_modules/@oven/$flavour/bin/bun
	if [ ! -x "$bun" ]; then
		command -v npm >/dev/null || fail "npm is missing, which fetches Bun $pinned" \
			"install it ('apt-get install npm'), or put Bun $pinned on PATH"
		say "fetching Bun $pinned"
		mkdir -p "$cache"
		# The package holds the program itself: no script has to run.
		npm install --prefix "$cache" --no-save --no-package-lock --no-audit --no-fund \
			--ignore-scripts --loglevel=error "@oven/$flavour@$pinned"
	fi
	[ "$("$bun" --version)" = "$pinned" ] || fail "the Bun fetched from npm does not run here"
}

bun_flavour() {
	case $system in
	linux-arm64) echo bun-linux-aarch64 ;;
	*) if grep -q -w avx2 /proc/cpuinfo; then echo bun-linux-x64; else echo bun-linux-x64-baseline; fi ;;
	esac
}

# The tests are started with `bun`. What an earlier --dev installed stays; a Bun of another origin
# is used when it is the pinned one, and never replaced.
install_bun() {
	if ! is_ours bin/bun; then
		[ "$dev" = yes ] || return 0
		found=$(command -v bun || true)
		[ -z "$found" ] || [ "$("$found" --version)" != "$pinned" ] || return 0
	fi
	if may_write "$prefix/bin/bun"; then
		install_file 755 "$bun" bin/bun
	else
		say "note: $prefix/bin/bun is another Bun than the pinned $pinned and stays"
	fi
}

# ---- from the network --------------------------------------------------------------------------

install_from_network() {
	[ "$dev" = no ] || fail "--dev works in a checkout of the sources only"
	system=$(platform)
	base_url=${WEAVE_BASE_URL:-$default_base_url}
	[ -n "$base_url" ] || fail "it is not known where releases are published" \
		"set WEAVE_BASE_URL, or run this from a checkout of the sources"
	for tool in tar gzip sha256sum; do
		command -v "$tool" >/dev/null || fail "$tool is missing; install it and run this again"
	done
	make_scratch
	releases=${base_url%/}/$version
	download "$releases/SHA256SUMS" "$scratch/SHA256SUMS"
	archive=$(sed -n "s/^[0-9a-f]\{64\}  \(weave-[A-Za-z0-9.+_-]*-$system\.tar\.gz\)\$/\1/p" \
		"$scratch/SHA256SUMS")
	[ -n "$archive" ] || fail "there is no release for $system at $releases"
	[ "$(printf '%s\n' "$archive" | wc -l)" = 1 ] ||
		fail "$releases/SHA256SUMS names several releases for $system"
	download "$releases/$archive" "$scratch/$archive"
	verify "$archive"
	tar -xzf "$scratch/$archive" -C "$scratch"
	tree=$scratch/${archive%.tar.gz}
	begin_manifest
	install_tree "$tree/weave" "$tree"
	end_manifest
}

download() {
	if command -v curl >/dev/null; then
		curl -fsSL --retry 2 -o "$2" "$1" || fail "cannot download $1"
	elif command -v wget >/dev/null; then
		wget -q -O "$2" "$1" || fail "cannot download $1"
	else
		fail "neither curl nor wget is there to download with"
	fi
}

verify() {
	grep "  $1\$" "$scratch/SHA256SUMS" >"$scratch/expected"
	(cd "$scratch" && sha256sum -c expected >/dev/null 2>&1) ||
		fail "the checksum of $1 is wrong; nothing was installed" \
			"the download is damaged, or it is not what was published"
}

# ---- files and their manifest ------------------------------------------------------------------

# Paths that were installed stand in the manifest, one a line, relative to the prefix; folders that
# did not exist before end in a slash.
begin_manifest() {
	[ -n "$scratch" ] || make_scratch
	new_manifest=$scratch/manifest
	if [ -f "$manifest" ]; then
		grep '/$' "$manifest" >"$new_manifest" || true
	else
		: >"$new_manifest"
	fi
}

end_manifest() {
	make_folder share/weave
	printf '%s\n' share/weave/manifest >>"$new_manifest"
	remove_leftovers
	install_as 644 "$new_manifest" "$manifest"
	say "weave $("$prefix/bin/weave" version | sed -n 's/^weave script //p') is installed: $prefix/bin/weave"
	case :$PATH: in
	*":$prefix/bin:"*) ;;
	*) say "note: $prefix/bin is not in PATH" ;;
	esac
}

# Files of the installed release that this one does not have any more.
remove_leftovers() {
	[ -f "$manifest" ] || return 0
	while read -r path; do
		case $path in
		*/ | /* | *..*) ;;
		*) grep -q -x -F -- "$path" "$new_manifest" || rm -f "$prefix/$path" ;;
		esac
	done <"$manifest"
}

# The executable, and what a checkout and a release have beside it.
install_tree() {
	WEAVE_RUN_DIR=/nonexistent "$1" version >/dev/null ||
		fail "the program does not run on this machine; nothing was installed" \
			"it needs the GNU C library and, on x86_64, a processor with AVX2;" \
			"a checkout of the sources builds one for any processor"
	for path in bin/weave share/bash-completion/completions/weave \
		share/zsh/site-functions/_weave share/fish/vendor_completions.d/weave.fish \
		share/man/man1/weave.1; do
		may_write "$prefix/$path" || fail "$prefix/$path is there and is not of this installer" \
			"remove it, or choose another folder with --prefix"
	done
	install_file 755 "$1" bin/weave
	install_file 644 "$2/completions/weave.bash" share/bash-completion/completions/weave
	install_file 644 "$2/completions/_weave" share/zsh/site-functions/_weave
	install_file 644 "$2/completions/weave.fish" share/fish/vendor_completions.d/weave.fish
	install_file 644 "$2/docs/man/weave.1" share/man/man1/weave.1
	install_file 644 "$2/LICENSE" share/doc/weave/LICENSE
	for licence in "$2"/docs/licenses/*; do
		[ ! -f "$licence" ] || install_file 644 "$licence" "share/doc/weave/${licence##*/}"
	done
}

# True when nothing is there, or what an earlier run of this script put there.
may_write() {
	[ ! -e "$1" ] || is_ours "${1#"$prefix"/}"
}

# Whether an earlier run of this script installed a path.
is_ours() {
	[ -f "$manifest" ] && grep -q -x -F -- "$1" "$manifest"
}

install_file() {
	make_folder "$(dirname "$3")"
	install_as "$1" "$2" "$prefix/$3"
	printf '%s\n' "$3" >>"$new_manifest"
}

# Moved into place whole, so that a running weave is not disturbed.
install_as() {
	cp "$2" "$3.new"
	chmod "$1" "$3.new"
	mv -f "$3.new" "$3"
}

make_folder() {
	[ ! -d "$prefix/$1" ] || return 0
	case $1 in
	.) ;;
	*/*) make_folder "${1%/*}" ;;
	*) make_folder . ;;
	esac
	mkdir -p "$prefix/$1"
	printf '%s/\n' "$1" >>"$new_manifest"
}

uninstall() {
	[ -f "$manifest" ] || fail "nothing of this installer is under $prefix" \
		"if it was installed elsewhere, name that folder with --prefix"
	[ -w "$manifest" ] || fail "cannot write to $prefix" "run this as root"
	make_scratch
	# Longest path first, so that folders come after what they hold.
	sort -r "$manifest" >"$scratch/paths"
	while read -r path; do
		case $path in
		/* | *..*) ;;
		./) rmdir "$prefix" 2>/dev/null || true ;;
		*/) rmdir "$prefix/$path" 2>/dev/null || true ;;
		*) rm -f "$prefix/$path" ;;
		esac
	done <"$scratch/paths"
	say "weave is removed from $prefix"
}

main "$@"
