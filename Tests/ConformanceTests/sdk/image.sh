#!/bin/sh
# Makes the root of Berth's image and serves in it, read-only and as its user: unshare -m image.sh ROOTFS BERTH
set -eu
work=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$work"
"$1" "$2" "$work/root"
cat >"$work/root/etc/berth/berth.toml" <<'TOML'
[global]
admin = "127.0.0.1:0"
secret = "file:/var/lib/berth/session.keys"
[[listen]]
http = "127.0.0.1:0"
[upstream.mcp]
servers = ["127.0.0.1:9"]
TOML
mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$work/root/var/lib/berth"
# As a container has it: Swift finds the arguments of a program there.
mount -t proc proc "$work/root/proc"
mount --rbind "$work/root" "$work/root"
mount -o remount,bind,ro "$work/root"
if touch "$work/root/etc/x" 2>/dev/null; then
    echo "the root can be written to"
    exit 1
fi
inside() { env -i "PATH=$PATH" chroot --userspec=10001:10001 "$work/root" /usr/bin/berth "$@"; }

inside version
inside check /etc/berth/berth.toml
env -i "PATH=$PATH" chroot --userspec=10001:10001 "$work/root" /usr/bin/berth run /etc/berth/berth.toml >"$work/log" 2>&1 &
berth=$!
trap 'kill "$berth" 2>/dev/null' EXIT
address=
count=0
while [ -z "$address" ] && [ "$count" -lt 300 ]; do
    address=$(sed -n 's|.*\(http://127.0.0.1:[0-9]*\).*|\1|p' "$work/log" | head -1)
    count=$((count + 1))
    sleep 0.2
done
# The server is not there: the answer is Berth's own.
body='{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
[ "$(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d "$body" "$address/mcp")" != 000 ]
[ "$(stat -c %a "$work/root/var/lib/berth/session.keys")" = 600 ]
kill "$berth"
wait "$berth"
trap - EXIT
du -sk --apparent-size "$work/root/usr" "$work/root/lib" "$work/root/lib64" "$work/root/etc" 2>/dev/null | awk '{ sum += $1 } END { print sum " KiB" }'
echo "served from a read-only root"
