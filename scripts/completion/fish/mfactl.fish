# fish completion for mfactl
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __mfactl_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --algorithm --config --counter --days --digits --email --encrypt-to --except --from --issuer --label --output --period --realm --to --type --unused -c -o
                set skip 1
            case add audit codes disable enable export import list ready remove reset restored seal show unlock
                set -a commands $word
        end
    end
    test "$commands" = "$argv"
end

complete -c mfactl -n '__mfactl_at' -f
complete -c mfactl -n '__mfactl_at' -a enable -d 'make a key for a user who has none, and show it'
complete -c mfactl -n '__mfactl_at' -a reset -d 'replace all that a user has by a new key, and show it'
complete -c mfactl -n '__mfactl_at' -a add -d 'add a key that exists already'
complete -c mfactl -n '__mfactl_at' -a list -d 'show the credentials of all users'
complete -c mfactl -n '__mfactl_at' -a show -d 'show one user, never the key'
complete -c mfactl -n '__mfactl_at' -a disable -d 'remove a user\'s record with all credentials'
complete -c mfactl -n '__mfactl_at' -a remove -d 'remove one credential of a user'
complete -c mfactl -n '__mfactl_at' -a unlock -d 'forget failed tries; rebuild a lost state'
complete -c mfactl -n '__mfactl_at' -a codes -d 'make new recovery codes, and show them'
complete -c mfactl -n '__mfactl_at' -a ready -d 'show who has a usable factor'
complete -c mfactl -n '__mfactl_at' -a audit -d 'look for weak keys, idle credentials, open files and more; 1 when there are any'
complete -c mfactl -n '__mfactl_at' -a restored -d 'make the store safe after a backup was put back'
complete -c mfactl -n '__mfactl_at' -a seal -d 'seal the secrets of all records with the present key'
complete -c mfactl -n '__mfactl_at' -a import -d 'take over users from a file of another system'
complete -c mfactl -n '__mfactl_at' -a export -d 'write users in the format of another system, with their keys'
complete -c mfactl -n '__mfactl_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at enable' -f
complete -c mfactl -n '__mfactl_at enable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at enable' -l json -d 'print the credential as JSON'
complete -c mfactl -n '__mfactl_at enable' -l type -x -d 'totp (codes follow the clock, the default), hotp (a counter) or, to add, duo (Duo is asked, and there is no key)'
complete -c mfactl -n '__mfactl_at enable' -l label -x -d 'what the credential is called in lists'
complete -c mfactl -n '__mfactl_at enable' -l digits -x -d 'digits of a code, 6 to 10 (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l period -x -d 'how long a totp code lasts (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default: the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l issuer -x -d 'the site\'s name in the user\'s app (default: the configuration\'s, else the host\'s)'
complete -c mfactl -n '__mfactl_at enable' -l email -x -d 'where mail about the user\'s factors goes'
complete -c mfactl -n '__mfactl_at enable' -l encrypt-to -x -d 'print key, QR code and recovery codes encrypted to an age recipient or SSH public key'
complete -c mfactl -n '__mfactl_at enable' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at enable' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at reset' -f
complete -c mfactl -n '__mfactl_at reset' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at reset' -l json -d 'print the credential as JSON'
complete -c mfactl -n '__mfactl_at reset' -l type -x -d 'totp (codes follow the clock, the default), hotp (a counter) or, to add, duo (Duo is asked, and there is no key)'
complete -c mfactl -n '__mfactl_at reset' -l label -x -d 'what the credential is called in lists'
complete -c mfactl -n '__mfactl_at reset' -l digits -x -d 'digits of a code, 6 to 10 (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at reset' -l period -x -d 'how long a totp code lasts (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at reset' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default: the configuration\'s)'
complete -c mfactl -n '__mfactl_at reset' -l issuer -x -d 'the site\'s name in the user\'s app (default: the configuration\'s, else the host\'s)'
complete -c mfactl -n '__mfactl_at reset' -l email -x -d 'where mail about the user\'s factors goes'
complete -c mfactl -n '__mfactl_at reset' -l encrypt-to -x -d 'print key, QR code and recovery codes encrypted to an age recipient or SSH public key'
complete -c mfactl -n '__mfactl_at reset' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at reset' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at add' -f
complete -c mfactl -n '__mfactl_at add' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at add' -l json -d 'print the credential as JSON, without its key'
complete -c mfactl -n '__mfactl_at add' -l type -x -d 'totp (codes follow the clock, the default), hotp (a counter) or, to add, duo (Duo is asked, and there is no key)'
complete -c mfactl -n '__mfactl_at add' -l label -x -d 'what the credential is called in lists'
complete -c mfactl -n '__mfactl_at add' -l digits -x -d 'digits of a code, 6 to 10 (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l period -x -d 'how long a totp code lasts (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default: the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l counter -x -d 'the next counter of a hotp token (default 0)'
complete -c mfactl -n '__mfactl_at add' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at add' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at list' -f
complete -c mfactl -n '__mfactl_at list' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at list' -l json -d 'print a JSON array'
complete -c mfactl -n '__mfactl_at list' -l show-keys -d 'show the keys, too'
complete -c mfactl -n '__mfactl_at list' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at list' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at show' -f
complete -c mfactl -n '__mfactl_at show' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at show' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at show' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at show' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at disable' -f
complete -c mfactl -n '__mfactl_at disable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at disable' -l lock-out-anyway -d 'do it although the user is locked out then'
complete -c mfactl -n '__mfactl_at disable' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at disable' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at remove' -f
complete -c mfactl -n '__mfactl_at remove' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at remove' -l lock-out-anyway -d 'do it although the user is locked out then'
complete -c mfactl -n '__mfactl_at remove' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at remove' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at unlock' -f
complete -c mfactl -n '__mfactl_at unlock' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at unlock' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at unlock' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at codes' -f
complete -c mfactl -n '__mfactl_at codes' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at codes' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at codes' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at codes' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at ready' -f
complete -c mfactl -n '__mfactl_at ready' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at ready' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at ready' -l realm -x -d 'only the users of this realm'
complete -c mfactl -n '__mfactl_at ready' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at ready' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at audit' -f
complete -c mfactl -n '__mfactl_at audit' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at audit' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at audit' -l days -x -d 'find credentials that are not activated after N days (default 7)'
complete -c mfactl -n '__mfactl_at audit' -l unused -x -d 'find activated credentials that were not used for N days (default 90)'
complete -c mfactl -n '__mfactl_at audit' -l except -x -d 'leave out this check; may be given again'
complete -c mfactl -n '__mfactl_at audit' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at audit' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at restored' -f
complete -c mfactl -n '__mfactl_at restored' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at restored' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at restored' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at seal' -f
complete -c mfactl -n '__mfactl_at seal' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at seal' -l rotate -d 'first put a new key into the file that [seal] key_file names'
complete -c mfactl -n '__mfactl_at seal' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at seal' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at import' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at import' -l from -x -d 'pve-user (a user.cfg) or pve-tfa (a tfa.cfg) of Proxmox VE'
complete -c mfactl -n '__mfactl_at import' -s n -l dry-run -d 'say what would be done, and write nothing'
complete -c mfactl -n '__mfactl_at import' -l add-to-existing -d 'give users who have a record what they do not have yet'
complete -c mfactl -n '__mfactl_at import' -l activated -d 'pve-user: the users log in with these keys already, so ask for a code from now on'
complete -c mfactl -n '__mfactl_at import' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at import' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at import' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at export' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at export' -l to -x -d 'pve-user (a user.cfg is edited) or pve-tfa (a tfa.cfg) of Proxmox VE'
complete -c mfactl -n '__mfactl_at export' -s o -l output -r -F -d 'write a new file with mode 0600 instead of standard output'
complete -c mfactl -n '__mfactl_at export' -l show-keys -d 'write to standard output even if it is a terminal'
complete -c mfactl -n '__mfactl_at export' -l realm -x -d 'only the users of this realm'
complete -c mfactl -n '__mfactl_at export' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at export' -l version -d 'show the version and exit'
