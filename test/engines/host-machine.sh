# shellcheck shell=sh
# A machine of its own for an engine and a router, in new mount and process namespaces; they end with
# this shell, which is their first process. Arguments: the machine's folder, and the folder with the
# engine's root if that is not the machine's.
set -e
folder=$1
engine=$2

# All that is written lives in memory and in here alone, but under the same names for everybody.
mount -t tmpfs -o mode=755 tmpfs "$folder"
mkdir "$folder/home" "$folder/netns"
mount --rbind /run/netns "$folder/netns"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/docker/plugins
mount --rbind "$folder/netns" /run/netns
umount -l "$folder/netns"
[ ! -d /etc/docker ] || mount -t tmpfs -o mode=755 tmpfs /etc/docker

# The engine may have a root of its own, over which it writes; the rest it shares with the router.
if [ -n "$engine" ]; then
  mkdir "$folder/upper" "$folder/work"
  # The variables are those of the other shell.
  # shellcheck disable=SC2016
  unshare --mount --propagation slave sh -ec '
    folder=$1
    mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay /mnt
    cd /mnt
    for shared in /dev /sys /run "$folder"; do
      mkdir -p ".$shared"
      mount --rbind "$shared" ".$shared"
    done
    mount -t proc proc proc
    mkdir -p before
    pivot_root . before
    umount -l /before
    echo $$ > "$folder/engine.pid"
    exec sleep infinity
  ' sh "$folder" "$engine" &
  until [ -s "$folder/engine.pid" ]; do
    kill -0 $!
    sleep 0.02
  done
else
  echo $$ > "$folder/engine.pid"
fi

echo ready
# A shell that waits also buries whoever is left to it.
while :; do
  sleep 1000 &
  wait $! || :
done
