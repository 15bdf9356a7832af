#!/bin/sh
# First process of a guest. The machine's root folder is the guest's too, read-only; what a run
# writes goes to memory below /run. The kernel's command line sets $job, a folder with `modules` and
# `command`.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
: "${job:?the command line of the kernel names the folder of a run}"
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/tmp /run/home
while read -r module; do busybox insmod "$module" || echo "cannot load $module"; done <"$job/modules"
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
ip link set lo up
HOME=/run/home TMPDIR=/run/tmp sh "$job/command"
echo "guest ended with $?"
busybox poweroff -f
