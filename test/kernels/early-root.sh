#!/bin/busybox sh
# First process of a kernel that has no files but those it was given: finds the machine's root folder,
# read-only, and goes on there. The kernel's command line sets $tag, $guest and $job.
# shellcheck shell=dash disable=SC2154
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/order
options=trans=virtio,version=9p2000.L,msize=524288,cache=loose
/bin/busybox mount -t 9p -o "$options,ro" "$tag" /machine
/bin/busybox mount -t devtmpfs devtmpfs /machine/dev
exec /bin/busybox switch_root /machine "$guest"
