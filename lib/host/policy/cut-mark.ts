/**
 * Connections that a later policy does not allow are marked for the packet filter, which drops what
 * belongs to them: to delete them from the kernel's table would not end them, for the next packet,
 * of either direction, makes an entry that has begun anew.
 *
 * A bit of the mark of a connection, because every entry has one. Labels are for such things, but the
 * kernel has room for them only in connections that began when some rule spoke of labels already.
 *
 * No other bit is touched, and this is one that neither kube-proxy nor network plugins, which fill such
 * marks from either end, are known to use.
 */
export const cutMark = 0x4000_0000;
