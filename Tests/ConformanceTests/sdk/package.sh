#!/bin/sh
# Installs a Debian package in a copy of this machine that is gone afterwards, uses it, and removes it: unshare -m package.sh FILE.deb
set -eu
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
mount -t proc proc "$work/root/proc"
rm -rf "$work/root/var/lib/berth" "$work/root/etc/berth"
cp "$1" "$work/root/tmp/berth.deb"
inside() { chroot "$work/root" "$@"; }

inside dpkg -i /tmp/berth.deb >/dev/null
inside berth version
inside getent passwd berth >/dev/null
[ "$(inside stat -c '%U %a' /var/lib/berth)" = "berth 750" ]
for file in /usr/share/man/man1/berth.1.gz /usr/share/man/man1/berth-drain.1.gz /usr/share/bash-completion/completions/berth \
    /usr/share/zsh/vendor-completions/_berth /usr/share/fish/vendor_completions.d/berth.fish /lib/systemd/system/berth.service \
    /lib/systemd/system/berth.socket /usr/share/doc/berth/examples/full.toml /usr/share/doc/berth/berth.schema.json; do
    inside test -s "$file"
done
inside bash -n /usr/share/bash-completion/completions/berth
inside openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /etc/berth/mcp.key -out /etc/berth/mcp.pem \
    -subj /CN=mcp.example.com -days 2 2>/dev/null
chown --reference="$work/root/var/lib/berth" "$work/root/etc/berth/mcp.key"
inside env -i "PATH=$PATH" STATE_DIRECTORY=/var/lib/berth setpriv --reuid=berth --regid=berth --clear-groups \
    berth check /etc/berth/berth.toml

inside dpkg -r berth >/dev/null
inside test -e /etc/berth/berth.toml
inside rm /etc/berth/mcp.key /etc/berth/mcp.pem
inside dpkg -P berth >/dev/null 2>&1
for left in /usr/bin/berth /etc/berth /var/lib/berth; do
    if inside test -e "$left"; then
        echo "$left is left behind"
        exit 1
    fi
done
echo "installed, used and removed"
