# shellcheck shell=sh
# A machine of its own for parts of a cluster, in new mount and process namespaces; they end with this
# shell, which is their first process. Argument: the machine's folder.
set -e
folder=$1

# All that is written lives in memory and in here alone, but under the same names for everybody.
mount -t tmpfs -o mode=755 tmpfs "$folder"
mkdir "$folder/home" "$folder/over" "$folder/settings"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
for place in etc home opt usr var; do
  upper=$folder/over/$place
  mkdir "$upper" "$upper.work"
  mount -t overlay -o "lowerdir=/$place,upperdir=$upper,workdir=$upper.work" overlay "/$place"
done
tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id

# A kubelet sets these for the whole machine.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  own=$folder/settings/$(basename "$setting")
  cat "/proc/sys/$setting" > "$own"
  mount --bind "$own" "/proc/sys/$setting"
done

# Containers may ask to see what is mounted later.
mount --make-rshared /

echo ready
# A shell that waits also buries whoever is left to it.
while :; do
  sleep 1000 &
  wait $! || :
done
