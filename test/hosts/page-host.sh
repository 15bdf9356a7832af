# shellcheck shell=sh
# The host of a documented page, in new mount, process and UTS namespaces; they end with this shell,
# which is their first process. Arguments: a folder of the host's, its name, its number, and
# the folder in which commands are typed.
set -e
folder=$1
name=$2
number=$3
typed=$4

# What a router, an operator and Debian's tools write is the host's own, and gone with it.
mount -t tmpfs -o mode=755 tmpfs "$folder"
for written in /etc /opt /root /usr/local /var/lib /var/log; do
  layer=$folder/layers$written
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=$written,upperdir=$layer/upper,workdir=$layer/work" overlay "$written"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock "$typed"

hostname "$name"
echo "$name" > /etc/hostname
# After which a router makes its name.
printf '%032d\n' "$number" > /etc/machine-id

echo ready
# A shell that waits also buries whoever is left to it.
while :; do
  sleep 1000 &
  wait $! || :
done
