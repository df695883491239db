#!/bin/sh
# Makes a key for the user who runs this and shows it on the screen, as text and
# as a QR code to scan. The key is in the form that the field "Key IDs" of Proxmox
# VE takes, which is only 80 bits; "oath-qrencode -g" makes one of 160.
#
# The key stays out of every argument list: printf is built into the shell, and
# oath-qrencode gets it through a pipe.
set -eu

if [ -t 1 ]; then
	clear || true
fi

account=${USER:-$(id -un)}@$(hostname --fqdn 2>/dev/null || hostname)
key=$(oathkeygen -f pve)

printf 'OATH key ID for user %s: %s\n' "$account" "$key"
printf '%s\n' "$key" | oath-qrencode -t utf8 -i PVE -a "$account"
